import { appendFileSync } from 'node:fs'
import { ChannelFlowCallbackCommand, ChimeSDKMessagingClient } from '@aws-sdk/client-chime-sdk-messaging'

const chime = new ChimeSDKMessagingClient({})

/** Does what the message says: `RAW-7 change`, and as a later processor `OK-7 three`. */
export async function handler({ CallbackId, ChannelMessage }) {
  const { ChannelArn, MessageId, Content } = ChannelMessage
  const [text, kind] = Content.split(' ')
  if (kind === 'silent') return
  if (kind === 'crash') process.exit(1)
  if (kind === 'byhand') {
    appendFileSync(process.env.CALLBACKS, `${JSON.stringify({ ChannelArn, MessageId, CallbackId, text })}\n`)
    return
  }
  if (kind === 'slow') await new Promise((resolve) => setTimeout(resolve, 300))
  const released = text.startsWith('RAW') ? text.replace('RAW', 'OK') : `${text}+`
  const Content_ = kind === 'same' ? Content : `${released} ${kind}`
  const verdict = kind === 'deny' ? { DeleteResource: true } : {}
  try {
    await chime.send(
      new ChannelFlowCallbackCommand({
        ChannelArn,
        CallbackId,
        ...verdict,
        ChannelMessage: { MessageId, ...(kind !== 'deny' && { Content: Content_ }) },
      }),
    )
  } catch (error) {
    // Given its event twice, it has answered before.
    if (!['BadRequestException', 'ForbiddenException', 'ConflictException'].includes(error.name)) throw error
  }
}
