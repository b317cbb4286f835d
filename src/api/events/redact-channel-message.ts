import { messageKind, messagePayload, withoutContent } from './message-kind.ts'

export const redactChannelMessage = messageKind({
  eventType: 'REDACT_CHANNEL_MESSAGE',
  erasesText: true,
  payload: (message, event) => withoutContent(messagePayload(message, event)),
})
