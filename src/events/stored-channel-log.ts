import type { ChannelRef, Envelope } from '../bus/bus.ts'
import type { Audience } from '../store/channel-event.ts'
import type { Reader, Value } from '../store/store.ts'
import type { ChannelRow, MembershipRow, MessageRow } from '../store/tables.ts'
import { type EventKinds, type LogRow, type PastMember, type PastRun, runKey, type SubjectRows } from './event-kind.ts'
import { envelope } from './publisher.ts'

/** Events in one read of a channel's log. */
const eventsMax = 100
/**
 * Memberships in one read: about 1 ms of the event loop on SQLite. At a connect each is read twice, and enters the hub in
 * between.
 */
const membershipsMax = 250
/** More than a user may have. */
const allMemberships = 1_000_000
const maxInteger = Number.MAX_SAFE_INTEGER
/** Values in one statement, padded with NULL. */
const widths = [1, 10, 100]

const noRows: SubjectRows = { channel: undefined, members: new Map(), messages: new Map(), runs: new Map() }

interface Head {
  next_seq: number
  deleted_at: number | null
}

interface MembershipOfUser {
  channel_id: number
  channel_arn: string
  joined_seq: number
  next_seq: number
}

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

  async memberships(userArn: string, afterChannelId: number, through?: number) {
    const limit = through === undefined ? membershipsMax : allMemberships
    const rows = await this.#read.all<MembershipOfUser>(
      `SELECT channel_head.channel_id, channel_arn, joined_seq, next_seq
       FROM channel_membership CROSS JOIN channel_head
       WHERE member_id =
           (SELECT user_id FROM app_instance_user WHERE app_instance_user_arn = $1 AND deleted_at IS NULL)
         AND channel_membership.channel_id > $2 AND channel_membership.channel_id <= $3
         AND channel_head.channel_id = channel_membership.channel_id AND channel_head.deleted_at IS NULL
       ORDER BY channel_membership.channel_id LIMIT $4`,
      userArn,
      afterChannelId,
      through ?? maxInteger,
      limit,
    )
    const memberships = rows.map((row) => ({
      channelId: row.channel_id,
      channelArn: row.channel_arn,
      joinedSeq: row.joined_seq,
      latest: row.next_seq - 1,
    }))
    return { memberships, more: rows.length === limit }
  }

  async usersOf(userArns: readonly string[]) {
    const users = await this.#allOf<{ user_id: number; app_instance_user_arn: string }>(
      `SELECT user_id, app_instance_user_arn FROM wanted CROSS JOIN app_instance_user
       WHERE app_instance_user_arn = wanted.value AND deleted_at IS NULL`,
      'TEXT',
      userArns,
    )
    return new Map(users.map((user) => [user.app_instance_user_arn, user.user_id]))
  }

  async latest(channelIds: readonly number[]) {
    const heads = await this.#allOf<Head & { channel_id: number }>(
      'SELECT channel_id, next_seq, deleted_at FROM wanted CROSS JOIN channel_head WHERE channel_id = wanted.value',
      'BIGINT',
      channelIds,
    )
    return new Map(heads.map((head) => [head.channel_id, latestNumber(head)]))
  }

  async read(
    { channelId, channelArn }: ChannelRef,
    { after, through }: { after: number; through: number | undefined },
  ) {
    const head = await this.#read.get<Head>(
      'SELECT next_seq, deleted_at FROM channel_head WHERE channel_id = $1',
      channelId,
    )
    if (!head || latestNumber(head).seq < after) return undefined
    const { seq: latest, isDeleted } = latestNumber(head)
    const last = Math.min(through ?? latest, latest)
    const rows = await this.#read.all<LogRow>(
      `SELECT channel_log.*, CAST($4 AS TEXT) AS channel_arn FROM channel_log
       WHERE channel_id = $1 AND seq > $2 AND seq <= $3 ORDER BY seq LIMIT $5`,
      channelId,
      after,
      last,
      channelArn,
      eventsMax,
    )
    const end = rows.length === eventsMax ? (rows.at(-1) as LogRow).seq : last
    const subjects = await this.#subjects(rows)
    const envelopes = rows.map((row) => this.#envelope(row, subjects))
    return { envelopes, through: end, more: end < last, isEnd: isDeleted && end === latest }
  }

  endOf(channel: ChannelRef): Envelope {
    return this.#unlogged(channel, 'DELETE_CHANNEL', channel.channelArn, { to: 'members' })
  }

  leaveOf(channel: ChannelRef, userArn: string): Envelope {
    return this.#unlogged(channel, 'DELETE_CHANNEL_MEMBERSHIP', userArn, { to: 'users', users: [userArn] })
  }

  /** As if it were read from the log, without a number. */
  #unlogged({ channelId, channelArn }: ChannelRef, eventType: string, subject: string, audience: Audience): Envelope {
    const row: LogRow = {
      channel_id: channelId,
      channel_arn: channelArn,
      seq: 0,
      event_type: eventType,
      audience_json: JSON.stringify(audience),
      subject,
      revision: 0,
      created_at: 0,
    }
    return { ...this.#envelope(row, noRows), seq: undefined }
  }

  #envelope(row: LogRow, rows: SubjectRows): Envelope {
    const { channel_id: channelId, channel_arn: channelArn, seq } = row
    const kind = this.#kinds[row.event_type]
    if (!kind) return { channelId, channelArn, seq, audience: { to: 'users', users: [] }, isUnknown: true, frame: '' }
    return envelope(kind, {
      channelId,
      channelArn,
      seq,
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
      `SELECT run.message_id, run.revision, run.requested_json, run.created_at, run.detail FROM channel_log
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
    const found = await this.#allOf<MembershipRow | FormerMember>(
      `SELECT channel_membership.*, app_instance_user_arn AS member_arn, name AS member_name
       FROM wanted CROSS JOIN app_instance_user
       LEFT JOIN channel_membership ON channel_id = $1 AND member_id = user_id
       WHERE app_instance_user_arn = wanted.value AND app_instance_user.deleted_at IS NULL`,
      'TEXT',
      [...arns],
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
   * `select` reads the rows of each `value` of the table `wanted`. CROSS makes SQLite begin with them. With IN it would
   * fill a temporary table first: 90 KB to allocate and 100 µs at each connect. `first` are the values of `$1` and so
   * on.
   */
  async #allOf<Row>(
    select: string,
    type: 'TEXT' | 'BIGINT',
    values: readonly Value[],
    ...first: Value[]
  ): Promise<Row[]> {
    const rows: Row[] = []
    let start = 0
    while (start < values.length) {
      const width = widths.find((enough) => enough >= values.length - start) ?? (widths.at(-1) as number)
      const places = Array.from({ length: width }, (_, index) => `(CAST($${first.length + index + 1} AS ${type}))`)
      const some = places.map((_, index) => values[start + index] ?? null)
      rows.push(
        ...(await this.#read.all<Row>(`WITH wanted (value) AS (VALUES ${places}) ${select}`, ...first, ...some)),
      )
      start += width
    }
    return rows
  }
}

const latestNumber = ({ next_seq, deleted_at }: Head) => ({ seq: next_seq - 1, isDeleted: deleted_at !== null })
