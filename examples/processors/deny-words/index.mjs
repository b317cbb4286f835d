/*
 * Denies a message that has a word of words.txt in it: nobody but its sender ever learns that there was one.
 */
import { readFileSync } from 'node:fs'
import { ChannelFlowCallbackCommand, ChimeSDKMessagingClient } from '@aws-sdk/client-chime-sdk-messaging'

const chime = new ChimeSDKMessagingClient({})
// Read once, when the function is loaded, and not with every message.
const deniedWords = readWords(readFileSync(new URL('words.txt', import.meta.url), 'utf8'))

/** Called with each message. What it returns is ignored: the verdict is the callback. */
export async function handler({ CallbackId, ChannelMessage }) {
  const { ChannelArn, MessageId, Content, Metadata } = ChannelMessage
  if (hasWord(Content, deniedWords)) {
    await answer({ ChannelArn, CallbackId, DeleteResource: true, ChannelMessage: { MessageId } })
  } else {
    await answer({ ChannelArn, CallbackId, ChannelMessage: { MessageId, Content, Metadata } })
  }
}

/** The words of a list that has one in a line, and comments after #. */
export function readWords(list) {
  return new Set(wordsOf(list.replace(/#.*/g, '')))
}

/** Whether one of the words stands in the text by itself, not as a part of another one. */
export function hasWord(text, words) {
  return wordsOf(text).some((word) => words.has(word))
}

/** Letters and digits of any script. "HECK", "Heck" and "he\u00adck" with its invisible hyphen are the same word. */
function wordsOf(text) {
  const visible = text.normalize('NFKC').replace(/\p{Cf}/gu, '')
  return visible.toUpperCase().match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
}

/*
 * Lambda may bring an event twice, but only the first verdict counts: what AWS answers to another one is one of these.
 * Trying again cannot help, so it is only logged. Any other error is thrown, and Lambda brings the event again.
 */
const lateAnswers = ['BadRequestException', 'ConflictException', 'ForbiddenException']

async function answer(verdict) {
  try {
    await chime.send(new ChannelFlowCallbackCommand(verdict))
  } catch (error) {
    if (!lateAnswers.includes(error.name)) throw error
    console.warn(`no verdict taken on message ${verdict.ChannelMessage.MessageId}: ${error.name}: ${error.message}`)
  }
}
