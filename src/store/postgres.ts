import { setTimeout as wait } from 'node:timers/promises'
import type { PoolClient, QueryArrayResult } from 'pg'
import { Batcher, type Settled, unwatched, type WatchCommit } from './batcher.ts'
import type { Change, OutcomeOf } from './changes.ts'
import { carryOutGroup, decideAll, type Group, groupByKind } from './postgres-changes.ts'
import {
  askForArrays,
  Connections,
  connectAlone,
  isConflict,
  isDuplicate,
  isLost,
  isOutdated,
  notOpened,
  outcomeMsMax,
  outcomeUnknown,
  type Prepared,
  plansOnce,
  readDatabaseUrl,
  unavailable,
  withoutNul,
} from './postgres-connection.ts'
import { migrate } from './postgres-migrate.ts'
import { SharedReads } from './postgres-reads.ts'
import { FirstStatistics, statisticsAreMissing } from './postgres-statistics.ts'
import { advanceHeadText, endStepText, insertOnceText, insertText, logRow, noHead, nothing } from './statements.ts'
import {
  type Committed,
  type Isolation,
  type OutcomeUnknown,
  type Store,
  StoreUnavailable,
  type Transaction,
  type Value,
} from './store.ts'

/*
 * The maximum of connections of one node is 15: for reads, for hot writes, for transactions, and one for its heartbeat. One
 * batch of hot writes is written at a time; the second connection checks whether the database accepts writes. Two batches
 * at a time would be smaller and wait for each other's heads: 1,500 µs of the database's processor time per message
 * instead of 1,050.
 */
const readConnectionsMax = 8
const writeConnectionsMax = 2
const transactionConnectionsMax = 4
/** Maximum of transactions that wait. A further caller gets StoreUnavailable, and can retry. */
const transactionsMax = 1_000
/** Maximum of retries of a write after conflicts with other nodes. */
const triesMax = 8
/** The maximum of the first pause before a retry, twice as long each time. The pause is random below it. */
const pauseMs = 5

export interface PostgresOptions {
  url: string
  /** `check`: an old schema is rejected instead of migrated. */
  migrations?: 'check'
  /** From 0 up to 1. */
  random(): number
  log: { warn(fields: object, text: string): void }
  watch?: WatchCommit
}

/** The store of many nodes: a PostgreSQL database. Each node has a few connections. */
export class PostgresStore implements Store {
  readonly read: SharedReads
  #readers: Connections
  #writers: Connections
  #transactors: Connections
  /** For this node's heartbeat, which must not wait behind other statements. */
  #own: Connections
  #batcher: Batcher
  #statistics: FirstStatistics
  #random: () => number
  #listeners: ((committed: Committed) => void)[] = []
  #uncertain: (() => void)[] = []
  /** The open and waiting transactions. */
  #transactions = new Set<Promise<unknown>>()
  /** Resolves when no transaction that had a conflict is in flight. */
  #conflicted: Promise<unknown> = Promise.resolve()
  #again = new Set<NodeJS.Timeout>()

  private constructor({ url, random, log, watch = unwatched }: PostgresOptions, lacksStatistics: boolean) {
    this.#batcher = new Batcher((changes) => this.#writeBatch(changes), watch)
    const connection = readDatabaseUrl(url)
    const onIdleError = (err: Error) => log.warn({ err }, 'idle connection to the database broken')
    this.#readers = new Connections(connection, readConnectionsMax, onIdleError, plansOnce)
    this.#writers = new Connections(connection, writeConnectionsMax, onIdleError, plansOnce)
    this.#transactors = new Connections(connection, transactionConnectionsMax, onIdleError)
    this.#own = new Connections(connection, 1, onIdleError)
    this.#random = random
    this.#statistics = new FirstStatistics(lacksStatistics, (sql) =>
      this.#transactors.lend((client) => client.query(sql)),
    )
    this.read = new SharedReads({
      send: (statement, values) => this.#read(statement, values),
      isUnavailable: (error) => error instanceof StoreUnavailable,
    })
  }

  /** Connects, and migrates the schema. Throws if the schema is newer than this program. */
  static async open(options: PostgresOptions): Promise<PostgresStore> {
    const connection = readDatabaseUrl(options.url)
    let lacksStatistics: boolean
    try {
      const client = await connectAlone(connection)
      try {
        await migrate(client, options.migrations)
        lacksStatistics = await statisticsAreMissing(client)
      } finally {
        await client.end()
      }
    } catch (error) {
      throw notOpened(connection, unavailable(error))
    }
    return new PostgresStore(options, lacksStatistics)
  }

  commit<C extends Change>(change: C): Promise<OutcomeOf<C>> {
    return this.#batcher.add(change)
  }

  async transaction<T>(
    work: (transaction: Transaction) => Promise<T>,
    isolation: Isolation = 'serializable',
  ): Promise<T> {
    if (this.#transactions.size >= transactionsMax)
      throw new StoreUnavailable(`${transactionsMax} transactions are waiting`)
    const mine = this.#serializeAfterConflict(() =>
      this.#transactors.lend((client) => this.#within(client, work, isolation)),
    )
    const settled = mine.catch(() => {})
    this.#transactions.add(settled)
    try {
      return await mine
    } finally {
      this.#transactions.delete(settled)
    }
  }

  async write(sql: string, ...values: Value[]): Promise<number> {
    return (await this.#own.lend((client) => client.query(sql, values)).catch(rethrow)).rowCount ?? 0
  }

  onCommit(listener: (committed: Committed) => void): void {
    this.#listeners.push(listener)
  }

  onUncertain(listener: () => void): void {
    this.#uncertain.push(listener)
  }

  async ready(): Promise<void> {
    const sql = 'SELECT pg_is_in_recovery() AS standby'
    const standby = await this.#writers
      .lend(async (client) => (await client.query(sql)).rows[0]?.standby)
      .catch(rethrow)
    if (standby) throw new StoreUnavailable('the database is a standby, which takes no writes')
  }

  /** The database's clock, in milliseconds since the epoch: the one clock that all nodes share. */
  async sharedNow(): Promise<number> {
    const sql = 'SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint AS now'
    return (await this.read.get<{ now: number }>(sql))?.now as number
  }

  async close(): Promise<void> {
    await this.#batcher.drained()
    await Promise.all([...this.#transactions, this.read.drained()])
    for (const timer of this.#again) clearTimeout(timer)
    await Promise.all(this.#connections.map((connections) => connections.close()))
  }

  abandon(): void {
    for (const connections of this.#connections) connections.abandon()
  }

  get #connections(): Connections[] {
    return [this.#readers, this.#writers, this.#transactors, this.#own]
  }

  /** Sends the statement. If the connection's prepared statement is outdated, it is sent again, unprepared. */
  async #read(statement: Prepared, values: unknown[]): Promise<QueryArrayResult<Value[]>> {
    try {
      return await this.#readers.lend((client) => askForArrays(client, statement, values))
    } catch (error) {
      if (statement.name === undefined || !isOutdated(error)) throw unavailable(error)
    }
    return this.#read({ ...statement, name: undefined }, values)
  }

  /** Writes each group in one commit. If a change makes it fail, each change gets its own commit, so that only that one fails. */
  async #writeBatch(changes: Change[]): Promise<Settled[]> {
    const settled: Settled[] = []
    for (const group of groupByKind(changes)) {
      const outcomes = await this.#writeGroup(group)
      for (const [index, { batchIndex }] of group.members.entries()) settled[batchIndex] = outcomes[index] as Settled
    }
    return settled
  }

  async #writeGroup(group: Group): Promise<Settled[]> {
    const committed = nothing()
    let settled: Settled[]
    try {
      settled = await this.#repeat(() => this.#writers.lend((client) => this.#send(client, group, committed)))
    } catch (error) {
      if (error instanceof StoreUnavailable || group.members.length === 1) return group.members.map(() => ({ error }))
      const alone: Settled[] = []
      for (const member of group.members) alone.push(...(await this.#writeGroup({ ...group, members: [member] })))
      return alone
    }
    this.#statistics.written(group.members.length)
    this.#notify(committed)
    return settled
  }

  /** The statement is its own transaction: after it was sent, only the response tells its outcome. */
  async #send(client: PoolClient, group: Group, committed: Committed): Promise<Settled[]> {
    try {
      return await carryOutGroup(client, group, committed)
    } catch (error) {
      throw isLost(error) ? this.#lose(error) : error
    }
  }

  /** At SERIALIZABLE, PostgreSQL aborts a transaction that is not serializable, and it is retried. */
  async #within<T>(
    client: PoolClient,
    work: (transaction: Transaction) => Promise<T>,
    isolation: Isolation,
  ): Promise<T> {
    const committed = nothing()
    await client.query(`BEGIN ISOLATION LEVEL ${isolation.toUpperCase()}`)
    let result: T
    try {
      result = await work(transactionOn(client, committed))
    } catch (error) {
      if (!isLost(error)) await client.query('ROLLBACK')
      throw error
    }
    await this.#commit(client)
    this.#notify(committed)
    return result
  }

  async #commit(client: PoolClient): Promise<void> {
    try {
      const { command } = await client.query('COMMIT')
      if (command !== 'COMMIT') throw new Error('a statement of the transaction had failed, so it was rolled back')
    } catch (error) {
      throw isLost(error) ? this.#lose(error) : error
    }
  }

  /** Transactions that had a conflict run one after the other from then on, so that each of them succeeds. */
  async #serializeAfterConflict<T>(write: () => Promise<T>): Promise<T> {
    try {
      return await write()
    } catch (error) {
      if (!isConflict(error) && !isDuplicate(error)) throw unavailable(error)
    }
    const mine = this.#conflicted.then(() => this.#repeat(write))
    this.#conflicted = mine.catch(() => {})
    return mine
  }

  /** Retries a write after a conflict. If another node has inserted the same row, the retry finds it. */
  async #repeat<T>(write: () => Promise<T>): Promise<T> {
    for (let tries = 1; ; tries += 1) {
      try {
        return await write()
      } catch (error) {
        const again = isConflict(error) ? tries < triesMax : isDuplicate(error) && tries === 1
        if (!again) throw unavailable(error)
        await wait(this.#random() * pauseMs * 2 ** tries)
      }
    }
  }

  #notify(committed: Committed): void {
    for (const listener of this.#listeners) listener(committed)
  }

  #lose(error: unknown): OutcomeUnknown {
    const tell = () => {
      for (const listener of this.#uncertain) listener()
    }
    tell()
    const timer = setTimeout(() => {
      this.#again.delete(timer)
      tell()
    }, outcomeMsMax)
    this.#again.add(timer)
    return outcomeUnknown(error)
  }
}

const rethrow = (error: unknown): never => {
  throw unavailable(error)
}

function transactionOn(client: PoolClient, committed: Committed): Transaction {
  const all = async <Row>(sql: string, ...values: Value[]) =>
    (await client.query(sql, values.map(withoutNul))).rows as Row[]
  const get = async <Row>(sql: string, ...values: Value[]) => (await all<Row>(sql, ...values))[0]
  const run = async (sql: string, ...values: Value[]) => (await client.query(sql, values.map(withoutNul))).rowCount ?? 0
  const insert = async (table: string, row: object) =>
    void (await run(insertText(table, Object.keys(row)), ...Object.values<Value>(row as Record<string, Value>)))
  return {
    all,
    get,
    run,
    insert,
    async insertOnce(table, row) {
      return (await run(insertOnceText(table, Object.keys(row)), ...Object.values<Value>(row))) === 1
    },
    decide: (changes) => decideAll(client, changes, committed),
    async endStep({ channel_id, callback_id }, now) {
      if ((await run(endStepText, channel_id, callback_id, now)) === 1) committed.decided.push(callback_id)
    },
    // PostgreSQL itself overwrites dead rows.
    erasesText() {},
    async append(event) {
      const { channelId, channelArn, createdAt } = event
      const head = await get<{ seq: number; created_at: number }>(advanceHeadText, channelId, createdAt)
      if (!head) throw noHead(channelArn)
      await insert('channel_log', logRow(event, head))
      committed.events.push({ ...event, seq: head.seq, createdAt: head.created_at })
      return head.seq
    },
  }
}
