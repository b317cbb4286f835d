import type { Envelope } from '../bus/bus.ts'
import { appInstanceOf } from '../contract/arn.ts'
import type { Audience } from '../store/channel-event.ts'
import type { Reader, Value } from '../store/store.ts'
import type { ChannelRow, MembershipRow, MessageRow } from '../store/tables.ts'
import { type EventKinds, type LogRow, type PastMember, type PastRun, runKey, type SubjectRows } from './event-kind.ts'
import { envelope, requireKind } from './publisher.ts'

/** Events in one read of a channel's log. */
const pageMax = 100
/** ARNs in one statement, padded with NULL. A connect reads one user and a few channels, catching up reads many. */
const widths = [1, 10, 50]

const noRows: SubjectRows = { channel: undefined, members: new Map(), messages: new Map(), runs: new Map() }

/** A user without a membership: all its columns are null. */
type FormerMember = { channel_id: null; member_arn: string; member_name: string }

/** Converts the channels' logs back into envelopes, and does the hub's other reads of the store. */
export class StoredChannelLog {
  readonly #read: Reader
  readonly #kinds: EventKinds

  constructor(read: Reader, kinds: EventKinds) {
    this.#read = read
    this.#kinds = kinds
  }

  /** The memberships of the users. */
  async memberships(userArns: readonly string[]): Promise<{ userArn: string; channelArn: string }[]> {
    const rows = await this.#allOf<{ member_arn: string; channel_arn: string }>(
      `SELECT app_instance_user_arn AS member_arn, channel_arn FROM wanted CROSS JOIN app_instance_user
       CROSS JOIN channel_membership CROSS JOIN channel_head
       WHERE app_instance_user_arn = wanted.arn AND app_instance_user.deleted_at IS NULL AND member_id = user_id
         AND channel_head.channel_id = channel_membership.channel_id AND channel_head.deleted_at IS NULL`,
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
    // A channel that was created again has several heads. The numbers continue from one to the next.
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
   * The events after a number, through another or, if that is undefined, through the latest. A page ends where a
   * deleted channel ends: after that comes the log of a channel that was created again under its ARN. When the log of a
   * deleted channel has been purged, its head row stands for the last event. Undefined if there is no such channel, or
   * if its log is shorter.
   */
  async read(channelArn: string, { after, through }: { after: number; through: number | undefined }) {
    const latest = (await this.latest([channelArn])).get(channelArn)
    if (latest === undefined || latest < (through ?? after)) return undefined
    const last = through ?? latest
    // Reads the first of the ARN's channels whose log goes beyond the number. A join with all of them would read and
    // sort all later events, for each page.
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
    const ended = rows.length === 0 && last > after ? await this.#endAfter(channelArn, after) : undefined
    if (ended) return { envelopes: [ended], through: ended.seq, more: ended.seq < last }
    const end = rows.at(-1)?.seq ?? last
    const subjects = await this.#subjects(rows)
    const envelopes = rows.map((row) => this.#envelope(row, subjects))
    return { envelopes, through: end, more: end < last }
  }

  /** The end of the first of the ARN's channels whose log went beyond the number, if that channel is deleted. */
  async #endAfter(channelArn: string, after: number): Promise<(Envelope & { seq: number }) | undefined> {
    const head = await this.#read.get<{ next_seq: number; deleted_at: number | null }>(
      `SELECT next_seq, deleted_at FROM channel_head WHERE channel_arn = $1 AND next_seq > $2 + 1
       ORDER BY next_seq, channel_id LIMIT 1`,
      channelArn,
      after,
    )
    if (!head || head.deleted_at === null) return undefined
    return { ...this.endOf(channelArn), seq: head.next_seq - 1 }
  }

  /** For members of a channel that the store does not have. */
  endOf(channelArn: string): Envelope {
    const row: LogRow = {
      channel_id: 0,
      channel_arn: channelArn,
      seq: 0,
      event_type: 'DELETE_CHANNEL',
      audience_json: '{"to":"members"}',
      subject: channelArn,
      revision: 0,
      created_at: 0,
    }
    return { ...this.#envelope(row, noRows), seq: undefined }
  }

  #envelope(row: LogRow, rows: SubjectRows): Envelope {
    const kind = requireKind(this.#kinds, row.event_type)
    return envelope(kind, {
      channelId: row.channel_id,
      channelArn: row.channel_arn,
      seq: row.seq,
      eventType: row.event_type,
      audience: JSON.parse(row.audience_json) as Audience,
      createdAt: row.created_at,
      subject: row.subject,
      about: kind.fromLog(row, rows),
    })
  }

  /** The rows are read after the log, so that texts that were denied or deleted in between do not show. */
  async #subjects(rows: readonly LogRow[]): Promise<SubjectRows> {
    const [first, last] = [rows[0], rows.at(-1)]
    if (!first || !last) return noRows
    const range = [first.channel_id, first.seq, last.seq] as const
    const logRange = 'channel_log.channel_id = $1 AND channel_log.seq >= $2 AND channel_log.seq <= $3'
    const channel = await this.#read.get<ChannelRow>('SELECT * FROM channel_view WHERE channel_id = $1', range[0])
    const members = await this.#members(rows)
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
      members,
      messages: new Map(messages.map((message) => [message.message_id, message])),
      runs: new Map(runs.map((run) => [runKey(run.message_id, run.revision), run])),
    }
  }

  /** The users who join or leave with one of the events, each with its membership if it has one now. */
  async #members(rows: readonly LogRow[]): Promise<Map<string, PastMember>> {
    const arns = new Set(rows.flatMap((row) => this.#namedBy(row)))
    const members = new Map<string, PastMember>()
    const [channel] = rows
    if (arns.size === 0 || !channel) return members
    const { channel_id, channel_arn } = channel
    // Uses the index that includes deleted users. A user that was created again has several rows: its latest is the
    // last.
    const found = await this.#allOf<MembershipRow | FormerMember>(
      `SELECT channel_membership.*, app_instance_user_arn AS member_arn, name AS member_name
       FROM wanted CROSS JOIN app_instance_user
       LEFT JOIN channel_membership ON channel_id = $2 AND member_id = user_id
       WHERE app_instance_arn = $1 AND app_instance_user_arn = wanted.arn ORDER BY user_id`,
      [...arns],
      appInstanceOf(channel_arn) ?? null,
      channel_id,
    )
    for (const { member_arn, member_name, ...row } of found) {
      const membership = row.channel_id === null ? undefined : { ...row, channel_arn, member_arn, member_name }
      members.set(member_arn, { member_arn, member_name, membership })
    }
    return members
  }

  #namedBy({ event_type, subject }: LogRow): readonly string[] {
    const { joins = [], leaves } = this.#kinds[event_type]?.effect?.(subject) ?? {}
    return leaves === undefined ? joins : [leaves]
  }

  /**
   * `select` reads the rows of the ARNs in the table `wanted`. CROSS makes SQLite begin with them. With IN it would
   * fill a temporary table first: 90 KB to allocate and 100 µs at each connect. `first` are the values of `$1` and so
   * on.
   */
  async #allOf<Row>(select: string, arns: readonly string[], ...first: Value[]): Promise<Row[]> {
    const rows: Row[] = []
    let start = 0
    while (start < arns.length) {
      const width = widths.find((enough) => enough >= arns.length - start) ?? (widths.at(-1) as number)
      const places = Array.from({ length: width }, (_, index) => `($${first.length + index + 1})`)
      const some = places.map((_, index) => arns[start + index] ?? null)
      rows.push(...(await this.#read.all<Row>(`WITH wanted (arn) AS (VALUES ${places}) ${select}`, ...first, ...some)))
      start += width
    }
    return rows
  }
}
