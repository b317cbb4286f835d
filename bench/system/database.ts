import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { Client } from 'pg'
import { dropDatabase, noPostgresServer, PostgresServer } from '../../test/support/postgres-server.ts'
import type { When } from '../rig.ts'
import { type CpuTime, cpuTimeOf } from './process-tree.ts'

/** A connection of PostgreSQL reports what it has done when it has been idle for ten seconds, at the latest. */
const reportMsMax = 10_500

/** A durable PostgreSQL for the benchmarks. */
export class Database {
  readonly #server: PostgresServer
  /** When transactions were last counted before something was measured. */
  #since = 0

  private constructor(server: PostgresServer) {
    this.#server = server
  }

  /** Undefined where there is no PostgreSQL; why is printed. */
  static async start(): Promise<Database | undefined> {
    if (noPostgresServer) {
      console.log(`no PostgreSQL, so its cases are left out: ${noPostgresServer}`)
      return undefined
    }
    return new Database(await PostgresServer.start())
  }

  /** A fresh database, by its URL. */
  create(): Promise<string> {
    return this.#server.createDatabase()
  }

  drop(url: string): Promise<void> {
    return dropDatabase(url)
  }

  /** Of all processes of PostgreSQL. */
  cpuTime(): CpuTime {
    return cpuTimeOf(Number.parseInt(readFileSync(join(this.#server.folder, 'postmaster.pid'), 'utf8'), 10))
  }

  /**
   * Transactions in the database so far. `exact` waits until all connections have reported theirs; otherwise those of
   * about the last second are missing. Heartbeats and the like come with time and not with messages: `after` what is
   * measured, as many are left out as come in that time while the server has nothing to do.
   */
  async transactions(databaseUrl: string, exact: When | false): Promise<number> {
    if (exact) await delay(reportMsMax)
    const [reported, now] = [await this.#reported(databaseUrl), performance.now()]
    if (exact === 'before') this.#since = now
    if (exact !== 'after') return reported
    await delay(reportMsMax)
    const perMs = ((await this.#reported(databaseUrl)) - reported) / (performance.now() - now)
    return reported - perMs * (now - this.#since)
  }

  async #reported(databaseUrl: string): Promise<number> {
    // From another database, so that asking is not counted.
    const client = new Client({ connectionString: this.#server.url })
    await client.connect()
    try {
      const name = new URL(databaseUrl).pathname.slice(1)
      const sql = 'SELECT xact_commit + xact_rollback AS transactions FROM pg_stat_database WHERE datname = $1'
      const { rows } = await client.query(sql, [name])
      return Number(rows[0].transactions)
    } finally {
      await client.end()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#server.stop()
  }
}
