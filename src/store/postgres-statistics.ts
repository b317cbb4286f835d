import type { Client } from 'pg'

/** After so many writes, the tables have a typical number of rows for each channel. */
const changesBefore = 1_000

/**
 * Two indexes of messages begin with the channel. Without statistics the planner estimates them as equal, so that the
 * lookup of one message may read all messages of its channel: 47,000 pages for 32 callbacks a few seconds after the first
 * start. Autovacuum collects statistics only once a minute. So the first node that fills a database collects the first.
 */
export class FirstStatistics {
  readonly #analyze: (sql: string) => Promise<unknown>
  #changesLeft: number

  /** `analyze` runs its statement in the background. */
  constructor(isMissing: boolean, analyze: (sql: string) => Promise<unknown>) {
    this.#analyze = analyze
    this.#changesLeft = isMissing ? changesBefore : 0
  }

  /** Counts stored hot writes. */
  written(changes: number): void {
    if (this.#changesLeft === 0) return
    this.#changesLeft = Math.max(0, this.#changesLeft - changes)
    // Without the permission, or without a connection, autovacuum collects them.
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

/** Whether there are no statistics, or statistics of empty tables. */
export async function statisticsAreMissing(client: Client): Promise<boolean> {
  const tables = hotTables.map((table) => `'${table}'::regclass`).join(', ')
  const sql = `SELECT bool_or(reltuples <= 0) AS missing FROM pg_class WHERE oid IN (${tables})`
  return (await client.query<{ missing: boolean }>(sql)).rows[0]?.missing ?? false
}
