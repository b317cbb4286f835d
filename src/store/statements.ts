import type { Audience, ChannelEvent, MessageEventType } from './channel-event.ts'
import { stepIsOpen } from './steps.ts'
import type { Committed } from './store.ts'
import type { MessageRow } from './tables.ts'

/** `last_created_at` after an event at $2: within a channel, time never decreases, even if the clock is set back. */
const createdAt = 'CASE WHEN last_created_at < $2 THEN $2 ELSE last_created_at END'

const advanceHeadTo = (lastMessageAt: string) =>
  `UPDATE channel_head SET next_seq = next_seq + 1, last_created_at = ${createdAt}, last_message_at = ${lastMessageAt}
   WHERE channel_id = $1 AND deleted_at IS NULL RETURNING next_seq - 1 AS seq, last_created_at AS created_at`

/** Takes the next number of the channel $1 for an event at $2. */
export const advanceHeadText = advanceHeadTo('last_message_at')
/** The same, for a message to all members that is created at $2. */
export const advanceHeadForNewMessageText = advanceHeadTo(createdAt)
/** The same, for a message to all members that was created at $3 and was held until now. */
export const advanceHeadForReleasedMessageText = advanceHeadTo(
  'CASE WHEN last_message_at >= $3 THEN last_message_at ELSE $3 END',
)

export const noHead = (channelArn: string) => new Error(`the channel ${channelArn} has no head row`)

/** Expires the run's latest step, $2 in the channel $1, at $3 if it is open: no later verdict counts. */
export const endStepText = `UPDATE flow_step SET state = 'EXPIRED', owner = '', decided_at = $3
  WHERE channel_id = $1 AND callback_id = $2 AND ${stepIsOpen}`

/** The placeholders are the values of the columns, in their order. */
export const insertText = (table: string, columns: readonly string[]): string =>
  `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((_, index) => `$${index + 1}`).join(', ')})`

/** The same; an existing row with this key does not change. */
export const insertOnceText = (table: string, columns: readonly string[]): string =>
  `${insertText(table, columns)} ON CONFLICT DO NOTHING`

/**
 * The placeholders are the values of `state`, then those of `key`; a further condition may use the next one. `special` has
 * the expressions of columns that do not simply become their placeholders.
 */
export function updateText(
  table: string,
  state: readonly string[],
  key: readonly string[],
  special: Readonly<Record<string, string>> = {},
): string {
  const assigned = state.map((column, index) => `${column} = ${special[column] ?? `$${index + 1}`}`)
  const equal = key.map((column, index) => `${column} = $${state.length + 1 + index}`)
  return `UPDATE ${table} SET ${assigned.join(', ')} WHERE ${equal.join(' AND ')}`
}

/** The event's row in its channel's log. */
export function logRow(event: Omit<ChannelEvent, 'seq' | 'createdAt'>, head: { seq: number; created_at: number }) {
  return {
    channel_id: event.channelId,
    seq: head.seq,
    event_type: event.eventType,
    audience_json: JSON.stringify(event.audience),
    subject: event.subject,
    revision: event.revision,
    created_at: head.created_at,
  }
}

export const nothing = (): Committed => ({ events: [], jobs: [], decided: [], ended: [] })

/** An event about a message, without its number and time. */
export const messageEvent = (
  { eventType, audience }: { eventType: MessageEventType; audience: Audience },
  message: MessageRow,
) => ({
  channelId: message.channel_id,
  channelArn: message.channel_arn,
  eventType,
  audience,
  subject: message.message_id,
  revision: message.revision,
  about: message,
})

/** Whether the message moves `last_message_at`. All members can read that time, so a targeted message does not. */
export const becomesLast = ({ status, persistence, target_id }: Omit<MessageRow, 'seq'>): boolean =>
  status === 'SENT' && persistence === 'PERSISTENT' && target_id === null
