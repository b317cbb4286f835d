import type { Audience } from '../../store/channel-event.ts'
import type { NumberedTable } from '../../store/message-times.ts'
import type { Reader } from '../../store/store.ts'
import type { MessageRow } from '../../store/tables.ts'
import { seqLimits } from './seq-limits.ts'

/** A search looks at so many rows at a time, of the messages and of the channel log: both together take 20 ms. */
const lookedMax = 5_000

interface Wanted {
  channelId: number
  senderArn: string | undefined
  status: MessageRow['status'] | undefined
  since: number
  until: number
}

export interface SearchedMessage extends Pick<MessageRow, 'seq' | 'message_id' | 'status' | 'created_at'> {
  /** Null if the event of a denial names none. */
  sender_arn: string | null
  detail: string | null
}

/**
 * The messages of a channel by sender, status and time, the latest first. There is no index for that, since one would cost
 * every message a write. A denied message has no row: the channel log has the event, as long as that is kept.
 */
export class MessageSearch {
  readonly #read: Reader
  readonly #wanted: Wanted
  /** Where the search has stopped before it had found enough. */
  stoppedAt: { seq: number; at: number } | undefined

  constructor(read: Reader, wanted: Wanted) {
    this.#read = read
    this.#wanted = wanted
  }

  async find(seq: number | undefined, rowsMax: number): Promise<SearchedMessage[]> {
    const { status } = this.#wanted
    const sources = [status === 'DENIED' ? undefined : messages, status && status !== 'DENIED' ? undefined : denials]
    const searched = sources.filter((source) => source !== undefined)
    const limits = await Promise.all(searched.map((source) => this.#lowestOf(source, seq)))
    const stops = limits.filter((limit) => limit !== undefined)
    // Below the highest stop, one of the sources was not looked at.
    const stop = stops.reduce<(typeof stops)[number] | undefined>(
      (highest, one) => (highest === undefined || one.seq > highest.seq ? one : highest),
      undefined,
    )
    const found = await Promise.all(searched.map((source) => this.#foundIn(source, seq, stop?.seq ?? 0, rowsMax)))
    const all = found
      .flat()
      .sort((one, other) => other.seq - one.seq)
      .slice(0, rowsMax)
    this.stoppedAt = all.length < rowsMax ? stop : undefined
    return all
  }

  /** The last row of so many; undefined if there are fewer. */
  async #lowestOf(source: Source, seq: number | undefined): Promise<{ seq: number; at: number } | undefined> {
    const { bounds, values } = this.#boundsOf(source, seq, 3)
    return this.#read.get<{ seq: number; at: number }>(
      `SELECT seq, created_at AS at FROM ${source.table} WHERE channel_id = $1 ${bounds}
       ORDER BY seq DESC LIMIT 1 OFFSET $2`,
      this.#wanted.channelId,
      lookedMax - 1,
      ...values,
    )
  }

  async #foundIn(source: Source, seq: number | undefined, lowest: number, rowsMax: number): Promise<SearchedMessage[]> {
    const { channelId, senderArn, status } = this.#wanted
    const { bounds, values } = this.#boundsOf(source, seq, 6)
    const rows = await this.#read.all<SearchedMessage & { audience_json?: string }>(
      `SELECT * FROM (${source.select}) AS searched WHERE channel_id = $1 AND seq >= $2 AND ($3 = '' OR ${source.isSender})
         AND ($4 = '' OR status = $4) ${bounds} ORDER BY seq DESC LIMIT $5`,
      channelId,
      lowest,
      senderArn ?? '',
      status ?? '',
      rowsMax,
      ...values,
    )
    return rows.map(({ audience_json: audience, ...row }) =>
      audience ? { ...row, sender_arn: senderIn(audience) } : row,
    )
  }

  #boundsOf({ table }: Source, seq: number | undefined, firstValue: number): { bounds: string; values: number[] } {
    const limits = seqLimits(seq, true, this.#wanted, table)
    const conditions = limits.map(({ condition }, index) => `AND ${condition(`$${index + firstValue}`)}`)
    return { bounds: conditions.join(' '), values: limits.map(({ value }) => value) }
  }
}

interface Source {
  table: NumberedTable
  select: string
  /** In SQL, for the ARN in `$3`. */
  isSender: string
}

const messages: Source = {
  table: 'channel_message',
  select: `SELECT channel_id, seq, message_id, sender_arn, status, status_detail AS detail, created_at FROM message_view`,
  isSender: 'sender_arn = $3',
}

/** The sender alone receives the event of a denial. */
const denials: Source = {
  table: 'channel_log',
  select: `SELECT log.channel_id, log.seq, log.subject AS message_id, log.audience_json, 'DENIED' AS status, run.detail,
      log.created_at
    FROM channel_log AS log
    LEFT JOIN flow_run AS run ON run.channel_id = log.channel_id AND run.message_id = log.subject
      AND run.revision = log.revision
    WHERE log.event_type = 'DENIED_CREATE_CHANNEL_MESSAGE'`,
  isSender: `replace(audience_json, '"' || $3 || '"', '') <> audience_json`,
}

function senderIn(audienceJson: string): string | null {
  const audience = JSON.parse(audienceJson) as Audience
  return audience.to === 'users' ? (audience.users[0] ?? null) : null
}
