import type { Change, DecideStep } from './changes.ts'
import type { Committed } from './store.ts'
import type { EventType, MessageRow } from './tables.ts'

/** What a transaction announces when it takes a text away. */
const erasingEvents: ReadonlySet<EventType> = new Set([
  'REDACT_CHANNEL_MESSAGE',
  'DELETE_CHANNEL_MESSAGE',
  'DELETE_CHANNEL',
  'FAILED_UPDATE_CHANNEL_MESSAGE',
])

/**
 * Whether a text that was stored before is gone with this commit, so that no copy of it may stay in the write-ahead log:
 * it was denied, redacted, deleted or replaced, or was a held message that is not kept.
 */
export const erases = (changes: readonly Change[], { events }: Pick<Committed, 'events'>): boolean =>
  events.some(({ eventType }) => erasingEvents.has(eventType)) || changes.some(erasesText)

function erasesText(change: Change): boolean {
  if (change.kind === 'DecideStep') return dropsText(change)
  // The text before an update that meets no flow.
  return change.kind === 'AcceptUpdate' && change.flow === undefined
}

/** A held text goes on as it was, or else it is gone: denied, changed by a processor, or of a message that is not kept. */
const dropsText = ({ ending, message }: DecideStep): boolean =>
  ending !== undefined && !(ending.message && hasText(ending.message, message) && hasText(ending.message, ending.shown))

const hasText = (one: MessageRow, other: MessageRow): boolean =>
  one.content === other.content &&
  one.metadata === other.metadata &&
  one.message_attributes_json === other.message_attributes_json &&
  one.push_notification_json === other.push_notification_json
