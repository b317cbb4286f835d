import { messageKind, unsentMessageKind } from './message-kind.ts'

/** An update is SENT: the audience of the message receives its new text. Before that, its sender receives the kinds below. */
export const updateChannelMessage = messageKind({ eventType: 'UPDATE_CHANNEL_MESSAGE' })

export const pendingUpdateChannelMessage = unsentMessageKind({ eventType: 'PENDING_UPDATE_CHANNEL_MESSAGE' })
export const deniedUpdateChannelMessage = unsentMessageKind({ eventType: 'DENIED_UPDATE_CHANNEL_MESSAGE' })
/** The text that the sender requested is deleted. */
export const failedUpdateChannelMessage = unsentMessageKind({
  eventType: 'FAILED_UPDATE_CHANNEL_MESSAGE',
  erasesText: true,
})
