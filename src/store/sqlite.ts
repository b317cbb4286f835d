import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { Batcher, type Settled, unwatched, type WatchCommit } from './batcher.ts'
import type { Change, OutcomeOf } from './changes.ts'
import { pendingMigrations } from './migrate.ts'
import { advanceHead, carryOut, endSteps, insert, insertOnce, log, type Writer } from './sqlite-changes.ts'
import { nothing } from './statements.ts'
import { readNextDueAt } from './steps.ts'
import { type Committed, type Reader, type Store, StoreUnavailable, type Transaction, type Value } from './store.ts'

/** More transactions than this never wait; a caller beyond it is told to come back. */
const transactionsMax = 1_000

/** The embedded store: one SQLite file, one connection that writes and one that reads. */
export class SqliteStore implements Store {
  readonly read: Reader
  #writer: Connection
  #reader: Connection
  #batcher: Batcher
  #listeners: ((committed: Committed) => void)[] = []
  /** Resolves when the writer connection is free: every write waits for those before it. */
  #free: Promise<unknown> = Promise.resolve()
  /** Waiting and open. */
  #transactions = 0

  /** Opens the file and brings its schema up to date. Throws if the schema is newer than this program. */
  constructor(path: string, now: number, watch: WatchCommit = unwatched) {
    this.#batcher = new Batcher((changes) => this.#alone(() => this.#writeBatch(changes)), watch)
    this.#writer = new Connection(new DatabaseSync(path))
    // A commit is on disk before it is acknowledged: WAL with a sync at every commit, 29 µs a message in batches of 128.
    // What was deleted is overwritten: a denied text does not stay in the file. Waiting for a foreign lock stops the whole
    // process, so it is short; only `carillon keys` ever writes beside the server.
    this.#writer.exec(
      'PRAGMA busy_timeout = 50; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON',
    )
    migrate(this.#writer, now)
    this.#reader = new Connection(new DatabaseSync(path, { readOnly: true }))
    this.read = asyncReader(this.#reader)
  }

  commit<C extends Change>(change: C): Promise<OutcomeOf<C>> {
    return this.#batcher.add(change)
  }

  async transaction<T>(work: (transaction: Transaction) => Promise<T>): Promise<T> {
    if (this.#transactions >= transactionsMax) throw new StoreUnavailable(`${transactionsMax} transactions are waiting`)
    this.#transactions += 1
    try {
      return await this.#alone(async () => {
        const committed = nothing()
        const result = await this.#writer.within(() => work(asyncTransaction(this.#writer, committed)))
        this.#tell(committed)
        return result
      })
    } finally {
      this.#transactions -= 1
    }
  }

  nextDueAt(): Promise<number | undefined> {
    return readNextDueAt(this.read)
  }

  /** An open file can be written until a write finds otherwise. */
  async ready(): Promise<void> {
    await this.read.get('SELECT 1')
  }

  /** Whether a write to a file came about is always known. */
  onUncertain(): void {}

  write(sql: string, ...values: Value[]): Promise<number> {
    return this.transaction((transaction) => transaction.run(sql, ...values))
  }

  onCommit(listener: (committed: Committed) => void): void {
    this.#listeners.push(listener)
  }

  async close(): Promise<void> {
    await this.#batcher.drained()
    await this.#free
    this.#reader.close()
    this.#writer.close()
  }

  /** Waits until nobody else writes. */
  #alone<T>(write: () => Promise<T>): Promise<T> {
    const mine = this.#free.then(write)
    this.#free = mine.catch(() => {})
    return mine
  }

  /** All in one commit; if one of them breaks it, each in its own, so that it fails alone. */
  async #writeBatch(changes: Change[]): Promise<Settled[]> {
    const together = await this.#tryWrite(changes)
    if (!('error' in together)) return together.settled
    if (together.error instanceof StoreUnavailable) return changes.map(() => together)
    const settled: Settled[] = []
    for (const change of changes) {
      const alone = changes.length === 1 ? together : await this.#tryWrite([change])
      settled.push('error' in alone ? alone : (alone.settled[0] as Settled))
    }
    return settled
  }

  async #tryWrite(changes: Change[]): Promise<{ settled: Settled[] } | { error: unknown }> {
    const committed = nothing()
    let settled: Settled[]
    try {
      settled = await this.#writer.within(async () =>
        changes.map((change) => ({ outcome: carryOut(this.#writer, change, committed) })),
      )
    } catch (error) {
      return { error }
    }
    this.#tell(committed)
    return { settled }
  }

  #tell(committed: Committed): void {
    for (const listener of this.#listeners) listener(committed)
  }
}

/** One connection with its prepared statements, by their text. */
class Connection implements Writer {
  #database: DatabaseSync
  #statements = new Map<string, StatementSync>()

  constructor(database: DatabaseSync) {
    this.#database = database
  }

  get<Row>(sql: string, ...values: Value[]): Row | undefined {
    return this.#prepare(sql).get(...values) as Row | undefined
  }

  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.#prepare(sql).all(...values) as Row[]
  }

  run(sql: string, ...values: Value[]): number {
    return Number(this.#prepare(sql).run(...values).changes)
  }

  exec(sql: string): void {
    this.#database.exec(sql)
  }

  async within<T>(work: () => Promise<T>): Promise<T> {
    try {
      this.exec('BEGIN IMMEDIATE')
      const result = await work()
      this.exec('COMMIT')
      return result
    } catch (error) {
      // SQLite has already rolled back by itself after some errors, a full disk among them.
      if (this.#database.isTransaction) this.exec('ROLLBACK')
      throw unavailable(error)
    }
  }

  close(): void {
    this.#database.close()
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (!statement) {
      // node:sqlite takes $1 for a name, not for a position.
      statement = this.#database.prepare(sql.replaceAll(/\$(\d+)/g, '?$1'))
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/** SQLITE_BUSY: another process writes. SQLITE_FULL: the disk is full, or the file as large as it may be. */
const passing: Record<number, string> = { 5: 'another process is writing', 13: 'the disk is full' }

/** What may be over soon is told apart from what is broken. */
function unavailable(error: unknown): unknown {
  const reason = passing[(error as { errcode?: number }).errcode ?? 0]
  return reason === undefined ? error : new StoreUnavailable(reason, { cause: error })
}

const asyncReader = (connection: Connection): Reader => ({
  get: async <Row>(sql: string, ...values: Value[]) => connection.get<Row>(sql, ...values),
  all: async <Row>(sql: string, ...values: Value[]) => connection.all<Row>(sql, ...values),
})

const asyncTransaction = (connection: Connection, committed: Committed): Transaction => ({
  ...asyncReader(connection),
  insert: async (table, row) => insert(connection, table, row),
  insertOnce: async (table, row) => insertOnce(connection, table, row),
  run: async (sql, ...values) => connection.run(sql, ...values),
  endSteps: async (run, now) => endSteps(connection, run, now, committed),
  append: async (event) =>
    log(connection, committed, event, advanceHead(connection, event.channelArn, event.createdAt)),
})

function migrate(connection: Connection, now: number): void {
  connection.exec(
    `CREATE TABLE IF NOT EXISTS schema_migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)`,
  )
  const { version } = connection.get<{ version: number }>(
    'SELECT coalesce(max(version), 0) AS version FROM schema_migration',
  ) ?? { version: 0 }
  for (const migration of pendingMigrations(version)) {
    connection.exec('BEGIN IMMEDIATE')
    connection.exec(migration.sql)
    insert(connection, 'schema_migration', { version: migration.version, name: migration.name, applied_at: now })
    connection.exec('COMMIT')
  }
}
