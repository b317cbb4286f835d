import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'

/*
 * Large stores, made in seconds: rows that the server itself has written are copied within its file while it is stopped.
 * What a copy must have for itself is said column by column, so this is the one place that follows the schema.
 */

/** SQL of `n`, which counts the copies from 1, and of `original`, the row that is copied; by column. */
type Changes = Record<string, string>

/** Random enough for an index, and the same on every run. */
const idOf = (salt: string) => `printf('%08x-${salt}-4000-8000-%012x', (n * 2654435761) & 4294967295, n)`

/** The file of a stopped server. */
export class StoppedStore {
  readonly #database: DatabaseSync

  constructor(dataDir: string) {
    this.#database = new DatabaseSync(join(dataDir, 'carillon.sqlite'))
    // Nothing here needs to survive a crash.
    this.#database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -524288; PRAGMA temp_store = MEMORY; BEGIN')
  }

  /** Puts so many messages into the channel's history, in the place of the one that it has. */
  fillHistory(channelArn: string, messages: number): { middleMs: number } {
    const channelId = this.#channelId(channelArn)
    const { seq, created_at: createdAt } = this.#only('channel_message', channelId)
    const [firstSeq, firstMs] = [Number(seq), Number(createdAt) - messages]
    this.#copy('channel_message', channelId, messages, {
      message_id: idOf('1111'),
      seq: `${firstSeq} + n`,
      created_at: `${firstMs} + n`,
      updated_at: `${firstMs} + n`,
    })
    this.#run('DELETE FROM channel_message WHERE channel_id = ? AND seq = ?', channelId, firstSeq)
    this.#run('UPDATE channel_head SET next_seq = next_seq + ? WHERE channel_id = ?', messages, channelId)
    return { middleMs: firstMs + messages / 2 }
  }

  /** Copies the channel with its members; the ARNs of the copies are the output. */
  copyChannel(channelArn: string, copies: number): string[] {
    const channelId = this.#channelId(channelArn)
    const last = Number(this.#database.prepare('SELECT max(channel_id) AS last FROM channel_head').get()?.last)
    const number = { channel_id: `${last} + n` }
    const arn = { channel_arn: `original.channel_arn || '-' || n` }
    for (const table of ['channel', 'channel_head']) this.#copy(table, channelId, copies, { ...number, ...arn })
    for (const table of ['channel_membership', 'channel_moderator']) this.#copy(table, channelId, copies, number)
    return Array.from({ length: copies }, (_, index) => `${channelArn}-${index + 1}`)
  }

  /** Copies the one message that the channel's flow holds. */
  copyHeldMessage(channelArn: string, copies: number): void {
    const channelId = this.#channelId(channelArn)
    const messageId = { message_id: idOf('2222') }
    const callbackId = { callback_id: idOf('3333') }
    const next = Number(this.#only('channel_head', channelId).next_seq)
    this.#copy('channel_message', channelId, copies, { ...messageId, seq: `${next} - 1 + n` })
    this.#copy('flow_run', channelId, copies, { ...messageId, ...callbackId })
    this.#copy('flow_step', channelId, copies, { ...messageId, ...callbackId })
    this.#run('UPDATE channel_head SET next_seq = next_seq + ? WHERE channel_id = ?', copies, channelId)
  }

  close(): void {
    this.#database.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)')
    this.#database.close()
  }

  #channelId(channelArn: string): number {
    return Number(
      this.#database.prepare('SELECT channel_id FROM channel WHERE channel_arn = ?').get(channelArn)?.channel_id,
    )
  }

  #only(table: string, channelId: number): Record<string, unknown> {
    const rows = this.#database.prepare(`SELECT * FROM ${table} WHERE channel_id = ?`).all(channelId)
    if (rows.length !== 1) throw new Error(`${table} has ${rows.length} rows of the channel to copy, not 1`)
    return rows[0] as Record<string, unknown>
  }

  #copy(table: string, channelId: number, copies: number, changes: Changes): void {
    const columns = this.#database.prepare('SELECT name FROM pragma_table_info(?)').all(table)
    const names = columns.map(({ name }) => String(name))
    const lost = Object.keys(changes).find((name) => !names.includes(name))
    if (lost !== undefined) throw new Error(`${table} has no ${lost}: bench/fill.ts must follow the schema`)
    const values = names.map((name) => changes[name] ?? `original.${name}`)
    this.#database
      .prepare(
        `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
         INSERT INTO ${table} (${names.join(', ')})
         SELECT ${values.join(', ')} FROM (SELECT * FROM ${table} WHERE channel_id = ?) AS original CROSS JOIN numbers`,
      )
      .run(copies, channelId)
  }

  #run(sql: string, ...values: (string | number)[]): void {
    this.#database.prepare(sql).run(...values)
  }
}

/** The states of the steps in the channel, as they are on the disk of a server that runs. */
export function stepStates(dataDir: string, channelArn: string): string[] {
  const database = new DatabaseSync(join(dataDir, 'carillon.sqlite'), { readOnly: true })
  try {
    const rows = database.prepare('SELECT state FROM step_view WHERE channel_arn = ?').all(channelArn)
    return rows.map(({ state }) => String(state))
  } finally {
    database.close()
  }
}
