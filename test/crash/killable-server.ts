import { randomUUID } from 'node:crypto'
import { readConfig } from '../../src/config.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { startServer } from '../../src/server.ts'
import type { Change, OutcomeOf } from '../../src/store/changes.ts'
import type { Committed, Isolation, Store, Transaction } from '../../src/store/store.ts'

/*
 * A whole server in a process of its own that kills itself, as if the power went, when it comes by a certain point for
 * the nth time: `node killable-server.ts POINT:N FLAG…`. Points: `dispatch` (a message or a verdict is committed, its
 * step is not handed over yet), `record` (a step was handed over, its record is not written yet), `publish` (a verdict is
 * committed, nobody was told yet), `purge` (a piece of a channel's purge is committed), `audit` (a row of the audit log is
 * written, and not committed), `audited` (it is committed, without a response), `never`.
 */
const [point = 'never', ...flags] = process.argv.slice(2)
const [name, times = '1'] = point.split(':')
let left = Number(times)

function pass(here: string): void {
  if (here !== name) return
  left -= 1
  if (left === 0) process.kill(process.pid, 'SIGKILL')
}

/** The real store; the points lie around what it does. */
class MinedStore implements Store {
  readonly read: Store['read']
  readonly #store: Store

  constructor(store: Store) {
    this.#store = store
    this.read = store.read
  }

  commit<C extends Change>(change: C): Promise<OutcomeOf<C>> {
    if (change.kind === 'RecordHandOff') pass('record')
    return this.#store.commit(change)
  }

  async transaction<T>(work: (transaction: Transaction) => Promise<T>, isolation?: Isolation): Promise<T> {
    let isPurge = false
    let isAudit = false
    const watching = (transaction: Transaction): Transaction => ({
      ...transaction,
      run: (sql, ...values) => {
        isPurge ||= sql.startsWith('DELETE FROM channel_message')
        return transaction.run(sql, ...values)
      },
      insert: async (table, row) => {
        await transaction.insert(table, row)
        isAudit = table === 'audit'
        if (isAudit) pass('audit')
      },
    })
    const result = await this.#store.transaction((transaction) => work(watching(transaction)), isolation)
    if (isPurge) pass('purge')
    if (isAudit) pass('audited')
    return result
  }

  onUncertain: Store['onUncertain'] = (listener) => this.#store.onUncertain(listener)
  write: Store['write'] = (...statement) => this.#store.write(...statement)
  ready = () => this.#store.ready()
  close = () => this.#store.close()

  onCommit(listener: (committed: Committed) => void): void {
    this.#store.onCommit((committed) => {
      if (committed.jobs.length > 0) pass('dispatch')
      if (committed.decided.length > 0) pass('publish')
      listener(committed)
    })
  }
}

const { config } = readConfig(flags, {}, () => '')
const world = { clock: systemClock, log: silentLog, newId: randomUUID, random: Math.random }
const server = await startServer(config, { ...world, aroundStore: (store) => new MinedStore(store) })
// The test's process ended without a word.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.send?.({ endpoint: server.endpoint, credentials: server.credentials })
