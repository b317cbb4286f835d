import type { Envelope } from '../bus/bus.ts'
import type { Reader } from '../store/store.ts'
import type { ChannelRow, MessageRow } from '../store/tables.ts'
import { type LogRow, type MemberRow, type PastRun, pastEvent, runKey, type Subjects } from './past-event.ts'
import { envelope, type PayloadOf } from './publisher.ts'

/** Events in one read of a channel's log. */
const pageMax = 100
/** ARNs in one statement; NULL fills it up. A connect asks for one user and a few channels, catching up for many. */
const widths = [1, 10, 50]

/** The channels' logs as envelopes again, and what else the hub asks of the store. */
export class StoredChannelLog {
  readonly #read: Reader
  readonly #payloadOf: PayloadOf

  constructor(read: Reader, payloadOf: PayloadOf) {
    this.#read = read
    this.#payloadOf = payloadOf
  }

  /** Whose members the users are. */
  async memberships(userArns: readonly string[]): Promise<{ userArn: string; channelArn: string }[]> {
    const rows = await this.#allOf<{ member_arn: string; channel_arn: string }>(
      'SELECT member_arn, channel_arn FROM wanted CROSS JOIN channel_membership WHERE member_arn = wanted.arn',
      userArns,
    )
    return rows.map((row) => ({ userArn: row.member_arn, channelArn: row.channel_arn }))
  }

  /** The number of each channel's latest event. A channel that does not exist is not in the answer. */
  async latest(channelArns: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.#allOf<{ channel_arn: string; next_seq: number }>(
      'SELECT channel_arn, next_seq FROM wanted CROSS JOIN channel_head WHERE channel_arn = wanted.arn',
      channelArns,
    )
    return new Map(rows.map((row) => [row.channel_arn, row.next_seq - 1]))
  }

  /** Looks through the whole log of the channel, which is why it is asked only of joins that were lost. */
  async joinedAt(userArn: string, channelArn: string): Promise<number | undefined> {
    const row = await this.#read.get<{ seq: number | null }>(
      `SELECT max(seq) AS seq FROM channel_log
       WHERE channel_arn = $1 AND event_type = 'CREATE_CHANNEL_MEMBERSHIP' AND subject = $2`,
      channelArn,
      userArn,
    )
    return row?.seq ?? undefined
  }

  /**
   * The events after a number, through another or, if that is undefined, through the latest. Undefined where the channel
   * does not exist any more, or has not come as far: then it is another one, with the ARN of one that was deleted.
   */
  async read(channelArn: string, { after, through }: { after: number; through: number | undefined }) {
    const latest = (await this.latest([channelArn])).get(channelArn)
    if (latest === undefined || latest < (through ?? after)) return undefined
    const last = through ?? latest
    const rows = await this.#read.all<LogRow>(
      'SELECT * FROM channel_log WHERE channel_arn = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4',
      channelArn,
      after,
      last,
      pageMax,
    )
    const more = rows.length === pageMax
    const subjects = await this.#subjects(rows)
    const envelopes = rows.map((row) => this.#envelope(row, subjects))
    return { envelopes, through: more ? (rows.at(-1)?.seq ?? after) : last, more }
  }

  /** For members who were not told that the channel was deleted. Its log went with it. */
  endOf(channelArn: string): Envelope {
    const event = {
      channelArn,
      seq: undefined,
      eventType: 'DELETE_CHANNEL',
      audience: { to: 'members' },
      createdAt: 0,
      about: { gone: { kind: 'channel' } },
    } as const
    return envelope(event, this.#payloadOf(event))
  }

  #envelope(row: LogRow, subjects: Subjects): Envelope {
    const event = pastEvent(row, subjects)
    return envelope(event, this.#payloadOf(event))
  }

  /** The rows are read after the log, so that what was denied or deleted in between does not show. */
  async #subjects(rows: readonly LogRow[]): Promise<Subjects> {
    const [first, last] = [rows[0], rows.at(-1)]
    if (!first || !last) return { channel: undefined, members: new Map(), messages: new Map(), runs: new Map() }
    const range = [first.channel_arn, first.seq, last.seq] as const
    const channel = await this.#read.get<ChannelRow>(
      `SELECT channel.*, channel_head.last_message_at FROM channel
       JOIN channel_head ON channel_head.channel_arn = channel.channel_arn WHERE channel.channel_arn = $1`,
      first.channel_arn,
    )
    const members = await this.#read.all<MemberRow>(
      `SELECT member.*, app_instance_user.name AS member_name FROM channel_log
       JOIN channel_membership AS member
         ON member.channel_arn = channel_log.channel_arn AND member.member_arn = channel_log.subject
       JOIN app_instance_user ON app_instance_user.app_instance_user_arn = member.member_arn
       WHERE channel_log.channel_arn = $1 AND channel_log.seq >= $2 AND channel_log.seq <= $3`,
      ...range,
    )
    // Runs before messages: the text of an update that is released in between is then the row's.
    const runs = await this.#read.all<PastRun>(
      `SELECT run.message_id, run.revision, run.requested_json, run.created_at FROM channel_log
       JOIN flow_run AS run ON run.channel_arn = channel_log.channel_arn
         AND run.message_id = channel_log.subject AND run.revision = channel_log.revision
       WHERE channel_log.channel_arn = $1 AND channel_log.seq >= $2 AND channel_log.seq <= $3`,
      ...range,
    )
    const messages = await this.#read.all<MessageRow>(
      `SELECT message.* FROM channel_log
       JOIN channel_message AS message
         ON message.channel_arn = channel_log.channel_arn AND message.message_id = channel_log.subject
       WHERE channel_log.channel_arn = $1 AND channel_log.seq >= $2 AND channel_log.seq <= $3`,
      ...range,
    )
    return {
      channel,
      members: new Map(members.map((member) => [member.member_arn, member])),
      messages: new Map(messages.map((message) => [message.message_id, message])),
      runs: new Map(runs.map((run) => [runKey(run.message_id, run.revision), run])),
    }
  }

  /**
   * `select` reads what belongs to the ARNs of the table `wanted`. CROSS makes SQLite begin with them. With IN it would
   * fill a temporary table first: 90 KB to allocate and 100 µs at each connect.
   */
  async #allOf<Row>(select: string, arns: readonly string[]): Promise<Row[]> {
    const rows: Row[] = []
    let start = 0
    while (start < arns.length) {
      const width = widths.find((enough) => enough >= arns.length - start) ?? (widths.at(-1) as number)
      const places = Array.from({ length: width }, (_, index) => `($${index + 1})`)
      const some = places.map((_, index) => arns[start + index] ?? null)
      rows.push(...(await this.#read.all<Row>(`WITH wanted (arn) AS (VALUES ${places}) ${select}`, ...some)))
      start += width
    }
    return rows
  }
}
