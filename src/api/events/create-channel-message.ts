import { messageKind, unsentMessageKind } from './message-kind.ts'

/** A message is SENT. Before that, its sender receives the kinds below. */
export const createChannelMessage = messageKind({ eventType: 'CREATE_CHANNEL_MESSAGE' })

export const pendingCreateChannelMessage = unsentMessageKind({ eventType: 'PENDING_CREATE_CHANNEL_MESSAGE' })
export const deniedCreateChannelMessage = unsentMessageKind({ eventType: 'DENIED_CREATE_CHANNEL_MESSAGE' })
export const failedCreateChannelMessage = unsentMessageKind({ eventType: 'FAILED_CREATE_CHANNEL_MESSAGE' })
