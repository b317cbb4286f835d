import type { Bus, Envelope } from '../bus/bus.ts'
import type { ChannelEvent, PastEvent } from '../store/channel-event.ts'
import { frame } from './frame.ts'

/** What a session is told of an event: the payload, in AWS's shape for its type, with times as ISO 8601 texts. */
export type PayloadOf = (event: PastEvent) => object

/** Committed events → bus, in the order of the channels' logs. */
export function publishTo(bus: Bus, payloadOf: PayloadOf): (events: readonly ChannelEvent[]) => void {
  return (events) => {
    if (events.length > 0) bus.publish(events.map((event) => envelope(event, payloadOf(event))))
  }
}

export function envelope(event: PastEvent, payload: object): Envelope {
  const { channelArn, seq, audience, eventType, about } = event
  const news = { channelArn, seq, audience, frame: frame(eventType, messageType(about), payload) }
  if (eventType === 'DELETE_CHANNEL') return { ...news, closed: true }
  const joined = eventType === 'CREATE_CHANNEL_MEMBERSHIP' ? memberOf(about) : undefined
  return joined === undefined ? news : { ...news, joined }
}

function messageType(about: PastEvent['about']): string {
  if ('message' in about) return about.message.type
  return 'gone' in about && about.gone.kind === 'message' ? 'STANDARD' : 'SYSTEM'
}

function memberOf(about: PastEvent['about']): string | undefined {
  if ('membership' in about) return about.membership.member_arn
  return 'gone' in about && about.gone.kind === 'membership' ? about.gone.memberArn : undefined
}
