import { Batcher, type Settled, unwatched, type WatchCommit } from './batcher.ts'
import type { Change, DecideOutcome, OutcomeOf } from './changes.ts'
import { type CheckpointLimits, CheckpointThread } from './checkpoint-thread.ts'
import { erases } from './erasure.ts'
import { FileMark } from './file-mark.ts'
import { type Applied, pendingMigrations } from './migrate.ts'
import { ReadFailures } from './read-failures.ts'
import { advanceHead, carryOut, endStep, insert, insertOnce, log } from './sqlite-changes.ts'
import { Connection } from './sqlite-connection.ts'
import { isDiskFailure, openingError, StoreBroken } from './sqlite-errors.ts'
import { advanceHeadText, nothing } from './statements.ts'
import { type Committed, type Reader, type Store, StoreUnavailable, type Transaction, type Value } from './store.ts'
import { WalCopy } from './wal-copy.ts'
import { WalTruncation } from './wal-truncation.ts'
import { WriteHealth } from './write-health.ts'

/** Limit of transactions that wait. Further ones are rejected with StoreUnavailable. */
const transactionsMax = 1_000
/** The size of a probe: as large as a large message with its rows, because a full disk may have room for a few bytes. */
const probeBytes = 32_768

export interface SqliteOptions {
  clock: { now(): number; at(atMs: number, wake: () => void): () => void }
  log: { warn(fields: object, text: string): void; info(fields: object, text: string): void }
  watch?: WatchCommit
  /**
   * Set by the server, which has the file for itself and stops when the store is broken. Commands that run beside the
   * server do not set it.
   */
  owner?: { random(): number; broken(error: Error): void }
  /** For tests. */
  checkpoints?: CheckpointLimits
}

/** The embedded store: one SQLite file, one connection that writes and one that reads. */
export class SqliteStore implements Store {
  readonly read: Reader
  readonly #path: string
  readonly #options: SqliteOptions
  readonly #writer: Connection
  readonly #reader: Connection
  readonly #batcher: Batcher
  readonly #health: WriteHealth
  readonly #readFailures: ReadFailures
  readonly #checkpoints: CheckpointThread
  readonly #truncation: WalTruncation
  readonly #copy: WalCopy
  readonly #mark: FileMark | undefined
  #listeners: ((committed: Committed) => void)[] = []
  /** Resolves when the writer connection is free: every write waits for those before it. */
  #free: Promise<unknown> = Promise.resolve()
  /** The number of open and waiting transactions. */
  #transactions = 0
  /** Set when the store accepts no further write. */
  #rejection: StoreUnavailable | undefined

  /** Opens the file and brings its schema up to date. Throws if the schema is newer than this program. */
  constructor(path: string, options: SqliteOptions) {
    const { clock, log, watch = unwatched, owner, checkpoints: limits } = options
    this.#path = path
    this.#options = options
    this.#batcher = new Batcher((changes) => this.#alone(() => this.#writeBatch(changes)), watch)
    this.#health = new WriteHealth({ clock, log, probe: () => this.#probe() })
    this.#readFailures = new ReadFailures({ clock, log })
    const lockHeld = (reason: string) => this.#health.fail(reason)
    this.#checkpoints = new CheckpointThread(path, limits)
    const parts = { thread: this.#checkpoints, alone: <T>(work: () => Promise<T>) => this.#alone(work) }
    this.#truncation = new WalTruncation({ ...parts, clock, log, lockHeld })
    this.#copy = new WalCopy(parts)
    const open = openFile(path, clock.now(), owner, {
      writer: (error) => this.#writerFailed(error),
      reader: (error) => this.#readerFailed(error),
    })
    this.#writer = open.writer
    this.#reader = open.reader
    this.#mark = open.mark
    this.read = this.#readFrom(this.#writer, this.#reader)
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
        const changes: Change[] = []
        const result = await this.#within(() => work(asyncTransaction(this.#writer, committed, changes)))
        this.#notify(committed, changes)
        return result
      })
    } finally {
      this.#transactions -= 1
    }
  }

  /** After a failed write, only a successful write makes the store ready again. A lock of another process is not a failure. */
  async ready(): Promise<void> {
    const reason = this.#rejection?.message ?? this.#health.failure
    if (reason !== undefined) throw new StoreUnavailable(reason)
    await this.read.get('SELECT 1')
  }

  async checkFile(): Promise<string | undefined> {
    const isOverwritten = (await this.#mark?.isThere()) === false
    return isOverwritten ? `another database was copied over ${this.#path} while the server used it` : undefined
  }

  rejectWrites(reason: string): void {
    this.#rejection ??= new StoreUnavailable(reason)
  }

  /** Never called: with a file, the process always knows the outcome of its writes. */
  onUncertain(): void {}

  write(sql: string, ...values: Value[]): Promise<number> {
    return this.transaction((transaction) => transaction.run(sql, ...values))
  }

  onCommit(listener: (committed: Committed) => void): void {
    this.#listeners.push(listener)
  }

  async close(): Promise<void> {
    this.#health.close()
    await this.#batcher.drained()
    await this.#free
    await Promise.all([this.#truncation.close(), this.#copy.close()])
    await this.#checkpoints.close()
    this.#reader.close()
    this.#writer.close()
    await this.#mark?.close()
  }

  /**
   * Reads use the writer's connection unless it has an open transaction, which no read may see. Its page cache stays valid
   * after its own commits, while they invalidate the cache of any other connection: the 4 reads of a flow cost 100 µs on
   * another connection and 60 µs on this one.
   */
  #readFrom(writer: Connection, reader: Connection): Reader {
    const own = writer.reader((error) => this.#readerFailed(error))
    const other = reader.reader()
    const free = () => (writer.isTransaction ? other : own)
    return {
      get: (sql, ...values) => free().get(sql, ...values),
      all: (sql, ...values) => free().all(sql, ...values),
    }
  }

  /** Queues the write behind all others. */
  #alone<T>(write: () => Promise<T>): Promise<T> {
    const mine = this.#free.then(write)
    this.#free = mine.catch(() => {})
    return mine
  }

  /** One durable commit. Rolls back if the store begins to reject writes in the meantime. */
  async #within<T>(work: () => Promise<T>): Promise<T> {
    this.#requireAccepting()
    const result = await this.#writer.within(async () => {
      const worked = await work()
      this.#requireAccepting()
      return worked
    })
    this.#health.succeed()
    this.#copy.committed(this.#writer.rowsWritten)
    return result
  }

  #requireAccepting(): void {
    if (this.#rejection) throw this.#rejection
  }

  /** Writes all changes in one commit. If one of them makes it fail, each gets its own commit, so that only that one fails. */
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
      settled = await this.#within(async () =>
        changes.map((change) => ({ outcome: carryOut(this.#writer, change, committed) })),
      )
    } catch (error) {
      return { error }
    }
    this.#notify(committed, changes)
    return { settled }
  }

  #notify(committed: Committed, changes: Change[]): void {
    if (erases(changes, committed)) this.#truncation.request()
    for (const listener of this.#listeners) listener(committed)
  }

  /** Replaces its own row, so that the file does not grow. SQLite would not write a text that equals the stored one. */
  #probe(): Promise<void> {
    const text = String(this.#options.clock.now()).padEnd(probeBytes, '.')
    return this.#alone(() =>
      this.#within(async () => {
        this.#writer.run(`INSERT INTO setting VALUES ('write probe', $1) ON CONFLICT DO UPDATE SET value = $1`, text)
      }),
    )
  }

  #writerFailed(error: unknown): void {
    if (isDiskFailure(error)) this.#health.fail(error.message)
    this.#stopIfBroken(error)
  }

  #readerFailed(error: unknown): void {
    if (isDiskFailure(error)) this.#readFailures.report(error.message)
    this.#stopIfBroken(error)
  }

  #stopIfBroken(error: unknown): void {
    if (!(error instanceof StoreBroken) || this.#rejection) return
    this.#rejection = error
    this.#options.owner?.broken(error)
  }
}

/** Adds events and ended steps to `committed`, and the hot writes of the transaction to `changes`. */
const asyncTransaction = (connection: Connection, committed: Committed, changes: Change[]): Transaction => ({
  get: async <Row>(sql: string, ...values: Value[]) => connection.get<Row>(sql, ...values),
  all: async <Row>(sql: string, ...values: Value[]) => connection.all<Row>(sql, ...values),
  insert: async (table, row) => insert(connection, table, row),
  insertOnce: async (table, row) => insertOnce(connection, table, row),
  run: async (sql, ...values) => connection.run(sql, ...values),
  decide: async (decided) => {
    changes.push(...decided)
    return decided.map((change) => carryOut(connection, change, committed) as DecideOutcome)
  },
  endStep: async (run, now) => endStep(connection, run, now, committed),
  erasesText: () => {
    committed.erasesText = true
  },
  append: async (event) => {
    const { channelArn, channelId, createdAt } = event
    const head = advanceHead(connection, advanceHeadText, channelArn, channelId, createdAt)
    log(connection, committed, event, head)
    return head.seq
  },
})

interface OpenFile {
  writer: Connection
  reader: Connection
  mark: FileMark | undefined
}

/** Closes everything if it throws. The error names the file and the remedy. */
function openFile(
  path: string,
  now: number,
  owner: SqliteOptions['owner'],
  report: { writer(error: unknown): void; reader(error: unknown): void },
): OpenFile {
  const opened: Connection[] = []
  const connect = (readOnly: boolean) => {
    const connection = new Connection(path, { readOnly, report: readOnly ? report.reader : report.writer })
    opened.push(connection)
    return connection
  }
  let mark: FileMark | undefined
  try {
    const writer = connect(false)
    prepareFile(writer, now)
    if (owner) {
      mark = new FileMark(path, owner.random())
      mark.write(writer)
    }
    return { writer, reader: connect(true), mark }
  } catch (error) {
    for (const connection of opened) connection.close()
    void mark?.close()
    throw openingError(path, error)
  }
}

function prepareFile(writer: Connection, now: number): void {
  // A commit is on disk before it is acknowledged: WAL with a sync at every commit.
  // Deleted content is overwritten: a denied text does not stay in the file. The wait for a lock of another process blocks
  // the event loop, so it is short; only `carillon keys` ever writes beside the server.
  writer.exec('PRAGMA busy_timeout = 50')
  const mode = writer.get<{ journal_mode: string }>('PRAGMA journal_mode = WAL')?.journal_mode
  if (mode !== 'wal') throw new Error('its file system cannot take a write-ahead log: use a local disk')
  writer.exec('PRAGMA synchronous = FULL; PRAGMA secure_delete = ON')
  // WalCopy copies the write-ahead log in a thread from 2,000 pages on. SQLite does so within a commit, which stops the event
  // loop, only if the thread fails or falls behind: at 64 MB.
  writer.exec('PRAGMA wal_autocheckpoint = 16000')
  migrate(writer, now)
}

function migrate(connection: Connection, now: number): void {
  connection.exec(
    `CREATE TABLE IF NOT EXISTS schema_migration (version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at BIGINT NOT NULL)`,
  )
  const applied = connection.all<Applied>('SELECT version, name FROM schema_migration')
  for (const migration of pendingMigrations(applied)) {
    connection.exec('BEGIN IMMEDIATE')
    connection.exec(migration.sql)
    insert(connection, 'schema_migration', { version: migration.version, name: migration.name, applied_at: now })
    connection.exec('COMMIT')
  }
}
