import type { EventKind, EventTime } from '../../events/event-kind.ts'
import { audienceOf, senderOnly } from '../../store/message-row.ts'
import type { MessageRow } from '../../store/tables.ts'
import { messageToWire } from '../channel-messages/channel-message.ts'
import { isoText } from '../times.ts'
import { type GoneMessage, type PastMessage, pastMessage } from './past-message.ts'

type MessageKind = EventKind<MessageRow, PastMessage>

/** The common part of the events about messages. A kind overrides what differs. */
export const messageKind = (kind: Pick<MessageKind, 'eventType'> & Partial<MessageKind>): MessageKind => ({
  heardOn: 'both',
  reference: ({ message_id, revision }) => ({ subject: message_id, revision }),
  audience: audienceOf,
  messageType: (message) => ('isGone' in message ? 'STANDARD' : message.type),
  payload: messagePayload,
  fromLog: pastMessage,
  ...kind,
})

/** Only the sender receives events about messages that are not SENT. */
export const unsentMessageKind = (
  kind: Pick<MessageKind, 'eventType'> & Pick<Partial<MessageKind>, 'erasesText'>,
): MessageKind => messageKind({ heardOn: 'sessions', audience: senderOnly, ...kind })

/** AWS's ChannelMessage. */
export function messagePayload(message: PastMessage, event: EventTime): object {
  if ('isGone' in message) return gonePayload(message, event)
  const payload = messageToWire(message, isoText)
  return 'isWithoutText' in message ? withoutContent(payload) : payload
}

/** Clients show a placeholder if Content is missing. */
export const withoutContent = (payload: object) => ({ ...payload, Content: undefined })

/** Clients read `Status.Value` without a check. */
const gonePayload = (gone: GoneMessage, { channelArn, createdAt }: EventTime) => ({
  ChannelArn: channelArn,
  MessageId: gone.message_id,
  CreatedTimestamp: gone.created_at === undefined ? undefined : isoText(gone.created_at),
  LastUpdatedTimestamp: isoText(createdAt),
  Status: { Value: gone.status, Detail: gone.detail },
})
