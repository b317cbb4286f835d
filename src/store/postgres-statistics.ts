import type { Client } from 'pg'

/** By then the tables show how many rows a channel has. */
const changesBefore = 1_000

/**
 * Two indexes of a message begin with its channel. Without statistics the planner takes them for equally good, so that
 * looking up one message may read all of its channel: 47,000 pages for 32 callbacks a few seconds after the first start.
 * Autovacuum makes statistics, but only once a minute. So the node on which a database fills makes the first.
 */
export class FirstStatistics {
  readonly #analyze: (sql: string) => Promise<unknown>
  #changesLeft: number

  /** `analyze` runs its statement beside everything else. */
  constructor(isMissing: boolean, analyze: (sql: string) => Promise<unknown>) {
    this.#analyze = analyze
    this.#changesLeft = isMissing ? changesBefore : 0
  }

  /** So many hot writes are stored. */
  written(changes: number): void {
    if (this.#changesLeft === 0) return
    this.#changesLeft = Math.max(0, this.#changesLeft - changes)
    // A user that may not, and a database that is away, leave it to autovacuum.
    if (this.#changesLeft === 0) this.#analyze(`ANALYZE ${hotTables.join(', ')}`).catch(() => {})
  }
}

const hotTables = [
  'channel',
  'channel_head',
  'channel_membership',
  'channel_message',
  'channel_log',
  'flow_run',
  'flow_step',
]

/** Whether the tables were empty when statistics were made last, if ever. */
export async function statisticsAreMissing(client: Client): Promise<boolean> {
  const tables = hotTables.map((table) => `'${table}'::regclass`).join(', ')
  const sql = `SELECT bool_or(reltuples <= 0) AS missing FROM pg_class WHERE oid IN (${tables})`
  return (await client.query<{ missing: boolean }>(sql)).rows[0]?.missing ?? false
}
