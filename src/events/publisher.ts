import type { Bus, Envelope } from '../bus/bus.ts'
import type { ChannelEvent } from '../store/channel-event.ts'
import type { EventKind, EventKinds } from './event-kind.ts'
import { frame } from './frame.ts'

/** Committed events → bus, in the order of the channels' logs. */
export function publishTo(bus: Bus, kinds: EventKinds): (events: readonly ChannelEvent[]) => void {
  return (events) => {
    if (events.length > 0) bus.publish(events.map((event) => envelope(requireKind(kinds, event.eventType), event)))
  }
}

/** The kind of an event that this server has committed: it must exist. */
export function requireKind(kinds: EventKinds, eventType: string): EventKind<object> {
  const kind = kinds[eventType]
  if (!kind) throw new Error(`there is no kind of event with the name ${eventType}`)
  return kind
}

/** The source of an envelope: an event as it was committed, or as it was read from the log. */
type EnvelopeSource = Omit<ChannelEvent, 'revision' | 'erasesText'>

export function envelope(kind: EventKind<object>, event: EnvelopeSource): Envelope {
  const { channelId, channelArn, seq, audience, about } = event
  const text = frame(kind.eventType, kind.messageType(about), kind.payload(about, event))
  return { channelId, channelArn, seq, audience, ...kind.effect?.(event.subject), frame: text }
}
