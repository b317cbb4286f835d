/*
 * Replaces e-mail addresses, card numbers and phone numbers in a message: a label stands in the place of each.
 * Patterns find the usual forms and no more; whoever must be sure asks a service that is made for it.
 */
import { ChannelFlowCallbackCommand, ChimeSDKMessagingClient } from '@aws-sdk/client-chime-sdk-messaging'

const chime = new ChimeSDKMessagingClient({})

/** Called with each message. What it returns is ignored: the verdict is the callback. */
export async function handler({ CallbackId, ChannelMessage }) {
  const { ChannelArn, MessageId, Content, Metadata } = ChannelMessage
  await answer({ ChannelArn, CallbackId, ChannelMessage: { MessageId, Content: redact(Content), Metadata } })
}

// No label is longer than the shortest text it stands for, so that no message outgrows the 4096 bytes it may have.
export function redact(text) {
  return redactPhoneNumbers(redactCardNumbers(text.replace(mailAddress, '[mail]')))
}

const mailAddress = /[\p{L}\p{N}._%+-]{1,64}@[\p{L}\p{N}.-]+\.\p{L}{2,}/gu

/** Cards begin with 2 to 6. Order numbers and the like may look the same, but few of them pass the Luhn check. */
const cardNumberForms = [
  /(?<!\d)[2-6]\d{12,18}(?!\d)/g,
  /(?<!\d)[2-6]\d{3}([ -])\d{4}\1\d{4}\1\d{4}\1\d{3}(?!\d)/g,
  /(?<!\d)[2-6]\d{3}([ -])\d{4}\1\d{4}\1\d{4}(?!\d)/g,
  /(?<!\d)3\d{3}([ -])\d{6}\1\d{4,5}(?!\d)/g,
]

function redactCardNumbers(text) {
  const label = (found) => (passesLuhn(digitsOf(found)) ? '[card]' : found)
  return cardNumberForms.reduce((redacted, form) => redacted.replace(form, label), text)
}

/** Every second digit from the right counts twice, and the sum of all digits ends in 0. */
export function passesLuhn(digits) {
  const values = [...digits].reverse().map(Number)
  const sum = values.reduce((sum, value, index) => sum + (index % 2 === 0 ? value : value * 2 - (value > 4 ? 9 : 0)), 0)
  return sum % 10 === 0
}

/** 2026-01-02, 10:30 and 192.168.100.200 have none of these forms. */
const phoneNumberForms = [
  String.raw`(?:\+|00)[1-9](?:[ ().\/-]{0,2}\d){7,14}`, // +44 (20) 7946 0018, 0049 30 901820
  String.raw`(?:1[ .-])?\(?[2-9]\d\d\)?[ .-]{1,2}[2-9]\d\d[ .-]\d{4}`, // (212) 555-0142
  String.raw`\(?0[1-9]\d{1,4}\)?(?:[ \/-]?\d{2,8}){1,4}`, // 020 7946 0018, 0171/2345678
  String.raw`0[1-9](?:[ .-]\d\d){4}`, // 01 42 68 53 00
]
const phoneNumber = new RegExp(String.raw`(?<!\d[.,\/-]?|\p{L}-?)(?:${phoneNumberForms.join('|')})(?![\p{L}\d])`, 'gu')

function redactPhoneNumbers(text) {
  return text.replace(phoneNumber, (found) => (digitsOf(found).length >= 9 || found[0] === '+' ? '[phone]' : found))
}

const digitsOf = (text) => text.replace(/\D/g, '')

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
