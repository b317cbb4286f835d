import type { Envelope } from '../bus/bus.ts'
import type { Reader } from '../store/store.ts'
import type { ChannelRow, MembershipRow, MessageRow } from '../store/tables.ts'
import { type LogRow, type PastRun, pastEvent, runKey, type Subjects } from './past-event.ts'
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
      `SELECT app_instance_user_arn AS member_arn, channel_arn FROM wanted CROSS JOIN app_instance_user
       CROSS JOIN channel_membership CROSS JOIN channel_head
       WHERE app_instance_user_arn = wanted.arn AND app_instance_user.deleted_at IS NULL AND member_id = user_id
         AND channel_head.channel_id = channel_membership.channel_id`,
      userArns,
    )
    return rows.map((row) => ({ userArn: row.member_arn, channelArn: row.channel_arn }))
  }

  /** The number of each channel's latest event; that of its deletion, for a channel that is deleted. */
  async latest(channelArns: readonly string[]): Promise<Map<string, number>> {
    const rows = await this.#allOf<{ channel_arn: string; next_seq: number }>(
      'SELECT channel_arn, next_seq FROM wanted CROSS JOIN channel_head WHERE channel_arn = wanted.arn',
      channelArns,
    )
    const latest = new Map<string, number>()
    // A channel that was created again has several heads. The numbers go on from one to the next.
    for (const row of rows) latest.set(row.channel_arn, Math.max(row.next_seq - 1, latest.get(row.channel_arn) ?? 0))
    return latest
  }

  async joinedAt(userArn: string, channelArn: string): Promise<number | undefined> {
    const row = await this.#read.get<{ joined_seq: number }>(
      `SELECT joined_seq FROM channel_membership
       WHERE channel_id = (SELECT channel_id FROM channel_head WHERE channel_arn = $2 AND deleted_at IS NULL)
         AND member_id = (SELECT user_id FROM app_instance_user WHERE app_instance_user_arn = $1 AND deleted_at IS NULL)`,
      userArn,
      channelArn,
    )
    return row?.joined_seq
  }

  /**
   * The events after a number, through another or, if that is undefined, through the latest. A page ends where a deleted
   * channel ends: what follows is the log of a channel that was created again under its ARN. Undefined where there is no
   * such channel, or where its log is not that long.
   */
  async read(channelArn: string, { after, through }: { after: number; through: number | undefined }) {
    const latest = (await this.latest([channelArn])).get(channelArn)
    if (latest === undefined || latest < (through ?? after)) return undefined
    const last = through ?? latest
    // Of the first of the ARN's channels whose log goes beyond the number. A join with all of them reads and sorts all that
    // follows, for each page.
    const rows = await this.#read.all<LogRow>(
      `SELECT channel_log.*, CAST($1 AS TEXT) AS channel_arn FROM channel_log
       WHERE channel_id = (SELECT channel_id FROM channel_head WHERE channel_arn = $1 AND next_seq > $2 + 1
         ORDER BY next_seq, channel_id LIMIT 1)
         AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $4`,
      channelArn,
      after,
      last,
      pageMax,
    )
    const end = rows.at(-1)?.seq ?? last
    const subjects = await this.#subjects(rows)
    const envelopes = rows.map((row) => this.#envelope(row, subjects))
    return { envelopes, through: end, more: end < last }
  }

  /** For members of a channel of which the store knows nothing. */
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
    const range = [first.channel_id, first.seq, last.seq] as const
    const logRange = 'channel_log.channel_id = $1 AND channel_log.seq >= $2 AND channel_log.seq <= $3'
    const channel = await this.#read.get<ChannelRow>('SELECT * FROM channel_view WHERE channel_id = $1', range[0])
    const members = await this.#read.all<MembershipRow>(
      `SELECT member.* FROM channel_log
       JOIN app_instance_user ON app_instance_user_arn = subject AND deleted_at IS NULL
       JOIN membership_view AS member
         ON member.channel_id = channel_log.channel_id AND member.member_id = app_instance_user.user_id
       WHERE ${logRange} AND event_type = 'CREATE_CHANNEL_MEMBERSHIP'`,
      ...range,
    )
    // Runs before messages: the text of an update that is released in between is then the row's.
    const runs = await this.#read.all<PastRun>(
      `SELECT run.message_id, run.revision, run.requested_json, run.created_at FROM channel_log
       JOIN flow_run AS run ON run.channel_id = channel_log.channel_id
         AND run.message_id = channel_log.subject AND run.revision = channel_log.revision
       WHERE ${logRange}`,
      ...range,
    )
    const messages = await this.#read.all<MessageRow>(
      `SELECT message.* FROM channel_log
       JOIN message_view AS message
         ON message.channel_id = channel_log.channel_id AND message.message_id = channel_log.subject
       WHERE ${logRange}`,
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
