import { firstSeqSince, type NumberedTable } from '../../store/message-times.ts'

interface Limit {
  value: number
  /** In SQL, with the placeholder of the value: PostgreSQL rejects a value that the statement does not use. */
  condition(value: string): string
}

/**
 * The bounds of a page of a channel's messages, or of its log. A following page begins after the previous one, which is within the times.
 * With two bounds on one side, SQLite would only use the first one for its search, and read 300,000 messages in 125 ms to
 * find the other. `$1` is the number of the channel.
 */
export function seqLimits(
  seq: number | undefined,
  descending: boolean,
  { since, until }: { since: number; until: number },
  table: NumberedTable = 'channel_message',
): Limit[] {
  const lower = Number.isFinite(since) ? atTime('>=', Math.ceil(since), table) : undefined
  // The first millisecond after the range.
  const upper = Number.isFinite(until) ? atTime('<', Math.floor(until) + 1, table) : undefined
  const [begin, end] = descending ? [upper, lower] : [lower, upper]
  const behind =
    seq === undefined ? begin : { value: seq, condition: (value: string) => `seq ${descending ? '<' : '>'} ${value}` }
  return [behind, end].filter((limit) => limit !== undefined)
}

const atTime = (comparison: '<' | '>=', time: number, table: NumberedTable): Limit => ({
  value: time,
  condition: (value) => `seq ${comparison} ${firstSeqSince('$1', value, table)}`,
})
