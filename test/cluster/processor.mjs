import { appendFileSync } from 'node:fs'

const answeredBefore = ['BadRequestException', 'ForbiddenException', 'ConflictException']
/** The node that it works for. When that is killed it has another parent, for the moment that it has still to live. */
const node = process.ppid
/** Long enough to be in hand when the node is killed. */
const slowMs = 1_500
/** Through the restart of a database, so that hardly a run of the function fails: that is tried again after a minute. */
const maxAttempts = 8

/** Does what the message says: `RAW-7 change`, and as a later processor `OK-7 three`. Writes down when it had what. */
export async function handler({ CallbackId, ChannelMessage }) {
  const { ChannelArn, MessageId, Content } = ChannelMessage
  const [text, kind] = Content.split(' ')
  note('begin', CallbackId)
  if (kind === 'byhand') write(process.env.CALLBACKS, { ChannelArn, MessageId, CallbackId, text })
  if (['silent', 'crash', 'byhand'].includes(kind)) {
    note('end', CallbackId)
    if (kind === 'crash') process.exit(1)
    return
  }
  if (kind === 'slow') await new Promise((resolve) => setTimeout(resolve, slowMs))
  const released = text.startsWith('RAW') ? text.replace('RAW', 'OK') : `${text}+`
  const changed = kind === 'same' ? Content : `${released} ${kind}`
  const verdict = kind === 'deny' ? { DeleteResource: true } : {}
  await callBack({
    ChannelArn,
    CallbackId,
    ...verdict,
    ChannelMessage: { MessageId, ...(kind !== 'deny' && { Content: changed }) },
  })
  note('end', CallbackId)
}

/** The SDK takes a while to load, and those that never answer do not need it. */
async function callBack(input) {
  const { ChannelFlowCallbackCommand, ChimeSDKMessagingClient } = await import('@aws-sdk/client-chime-sdk-messaging')
  try {
    await new ChimeSDKMessagingClient({ maxAttempts }).send(new ChannelFlowCallbackCommand(input))
  } catch (error) {
    // Given its event twice, it has answered before.
    if (!answeredBefore.includes(error.name)) throw error
  }
}

const note = (phase, callbackId) => write(process.env.TURNS, { phase, callbackId, pid: node, at: Date.now() })

const write = (file, line) => appendFileSync(file, `${JSON.stringify(line)}\n`)
