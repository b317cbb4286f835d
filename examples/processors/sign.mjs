/*
 * Puts its own name behind a message. Under several names in one flow it shows who was called, and in which order.
 */
import { ChannelFlowCallbackCommand, ChimeSDKMessagingClient } from '@aws-sdk/client-chime-sdk-messaging'

const chime = new ChimeSDKMessagingClient({})

/** Called with each message. What it returns is ignored: the verdict is the callback. */
export async function handler({ CallbackId, ChannelMessage }, { functionName }) {
  const { ChannelArn, MessageId, Metadata } = ChannelMessage
  const Content = sign(ChannelMessage.Content, functionName)
  await answer({ ChannelArn, CallbackId, ChannelMessage: { MessageId, Content, Metadata } })
}

const contentBytesMax = 4096

/** A text with no room left for the name stays as it is: the message matters more. */
export function sign(text, name) {
  const signed = `${text} · ${name}`
  return Buffer.byteLength(signed) <= contentBytesMax ? signed : text
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
