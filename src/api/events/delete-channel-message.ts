import { messageKind, messagePayload, withoutContent } from './message-kind.ts'

export const deleteChannelMessage = messageKind({
  eventType: 'DELETE_CHANNEL_MESSAGE',
  erasesText: true,
  payload: (message, event) => withoutContent(messagePayload(message, event)),
})
