import type { ChannelEvent, EventType } from '../store/tables.ts'
import { membershipPayload } from './channel-memberships/channel-membership.ts'
import { messageToWire } from './channel-messages/channel-message.ts'
import { channelToWire } from './channels/channel.ts'
import { isoText } from './times.ts'

/** What a session is told of an event, in AWS's shape for its type (developer guide, "Using websockets"). */
export function eventPayload(event: ChannelEvent): object {
  if ('channel' in event.about) return channelToWire(event.about.channel, isoText)
  if ('membership' in event.about) return membershipPayload(event.about.membership)
  const payload = messageToWire(event.about.message, isoText)
  return withoutText.has(event.eventType) ? { ...payload, Content: undefined } : payload
}

/** Clients show a placeholder where Content is missing. */
const withoutText = new Set<EventType>(['REDACT_CHANNEL_MESSAGE', 'DELETE_CHANNEL_MESSAGE'])
