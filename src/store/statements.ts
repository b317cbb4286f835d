import { stepIsOpen } from './steps.ts'
import type { Committed } from './store.ts'
import type { ChannelEvent, EventSubject } from './tables.ts'

/** Takes the channel's next number, $1. Time, $2, never runs backwards in a channel, whatever the clock does. */
export const advanceHeadText = `UPDATE channel_head SET next_seq = next_seq + 1,
    last_created_at = CASE WHEN last_created_at < $2 THEN $2 ELSE last_created_at END
  WHERE channel_arn = $1 RETURNING next_seq - 1 AS seq, last_created_at AS created_at`

export const noHead = (channelArn: string) => new Error(`the channel ${channelArn} has no head row`)

/** The open step of the run $1, $2, $3, if any, is EXPIRED at $4: no verdict counts any more. */
export const endStepsText = `UPDATE flow_step SET state = 'EXPIRED', owner = '', decided_at = $4
  WHERE channel_arn = $1 AND message_id = $2 AND revision = $3 AND ${stepIsOpen} RETURNING callback_id`

/** Its values are the row's, in their order. */
export function insertText(table: string, row: object): string {
  const columns = Object.keys(row)
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map((_, index) => `$${index + 1}`).join(', ')})`
}

/** The event's row in its channel's log. */
export function logRow(event: Omit<ChannelEvent, 'seq' | 'createdAt'>, head: { seq: number; created_at: number }) {
  return {
    channel_arn: event.channelArn,
    seq: head.seq,
    event_type: event.eventType,
    audience_json: JSON.stringify(event.audience),
    ...referenceOf(event.about),
    created_at: head.created_at,
  }
}

function referenceOf(about: EventSubject): { subject: string; revision: number } {
  if ('message' in about) return { subject: about.message.message_id, revision: about.message.revision }
  return { subject: 'channel' in about ? about.channel.channel_arn : about.membership.memberArn, revision: 0 }
}

export const nothing = (): Committed => ({ events: [], turns: [], decided: [], ended: [] })
