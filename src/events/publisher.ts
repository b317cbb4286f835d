import type { Bus, Envelope } from '../bus/bus.ts'
import type { ChannelEvent } from '../store/tables.ts'
import { frame } from './frame.ts'

/** What a session is told of an event: the payload, in AWS's shape for its type, with times as ISO 8601 texts. */
export type PayloadOf = (event: ChannelEvent) => object

/** Committed events → bus, in the order of the channels' logs. */
export function publishTo(bus: Bus, payloadOf: PayloadOf): (events: readonly ChannelEvent[]) => void {
  return (events) => {
    if (events.length > 0) bus.publish(events.map((event) => envelope(event, payloadOf(event))))
  }
}

function envelope(event: ChannelEvent, payload: object): Envelope {
  const { channelArn, seq, audience, eventType, about } = event
  const messageType = 'message' in about ? about.message.type : 'SYSTEM'
  const news = { channelArn, seq, audience, frame: frame(eventType, messageType, payload) }
  if (eventType === 'DELETE_CHANNEL') return { ...news, closed: true }
  return eventType === 'CREATE_CHANNEL_MEMBERSHIP' && 'membership' in about
    ? { ...news, joined: about.membership.memberArn }
    : news
}
