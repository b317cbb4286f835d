import type { EventType, GoneSubject, PastEvent } from '../store/channel-event.ts'
import { membershipToWire } from './channel-memberships/channel-membership.ts'
import { messageToWire } from './channel-messages/channel-message.ts'
import { channelToWire } from './channels/channel.ts'
import { isoText } from './times.ts'

/** What a session is told of an event, in AWS's shape for its type (developer guide, "Using websockets"). */
export function eventPayload(event: PastEvent): object {
  const { about } = event
  if ('gone' in about) return gonePayload(event, about.gone)
  if ('channel' in about) return channelToWire(about.channel, isoText)
  if ('membership' in about) return membershipToWire(about.membership, isoText)
  const payload = messageToWire(about.message, isoText)
  return withoutText.has(event.eventType) || 'withoutText' in about ? { ...payload, Content: undefined } : payload
}

/** Clients show a placeholder where Content is missing. */
const withoutText = new Set<EventType>(['REDACT_CHANNEL_MESSAGE', 'DELETE_CHANNEL_MESSAGE'])

/** What is known when an event is told late and its subject is no more. Clients read `Status.Value` unguarded. */
function gonePayload({ channelArn, createdAt }: PastEvent, gone: GoneSubject): object {
  if (gone.kind === 'channel') return { ChannelArn: channelArn }
  if (gone.kind === 'membership') return { ChannelArn: channelArn, Member: { Arn: gone.memberArn } }
  return {
    ChannelArn: channelArn,
    MessageId: gone.messageId,
    CreatedTimestamp: gone.createdAt === undefined ? undefined : isoText(gone.createdAt),
    LastUpdatedTimestamp: isoText(createdAt),
    Status: { Value: gone.status },
  }
}
