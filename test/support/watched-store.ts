import type { Change, OutcomeOf } from '../../src/store/changes.ts'
import type { Committed, Isolation, Reader, Store, Transaction } from '../../src/store/store.ts'

/** A store that counts its calls, and fails on demand, as a full disk does. */
export class WatchedStore implements Store {
  readonly written: Change['kind'][] = []
  reads = 0
  pending = 0
  failing = false
  failingReads = false
  /** Each hot write waits for it. */
  beforeCommit: ((change: Change) => Promise<unknown>) | undefined
  /** Reads wait for it. */
  readsFrom: Promise<void> | undefined
  readonly read: Reader
  #store: Store

  constructor(store: Store) {
    this.#store = store
    this.read = {
      get: (sql, ...values) => this.#watchRead(() => store.read.get(sql, ...values)),
      all: (sql, ...values) => this.#watchRead(() => store.read.all(sql, ...values)),
    }
  }

  async commit<C extends Change>(change: C): Promise<OutcomeOf<C>> {
    this.written.push(change.kind)
    return this.#watch(async () => {
      await this.beforeCommit?.(change)
      return this.#store.commit(change)
    })
  }

  transaction<T>(work: (transaction: Transaction) => Promise<T>, isolation?: Isolation): Promise<T> {
    return this.#watch(() => this.#store.transaction(work, isolation))
  }

  onCommit(listener: (committed: Committed) => void): void {
    this.#store.onCommit(listener)
  }

  onUncertain(listener: () => void): void {
    this.#store.onUncertain(listener)
  }

  write(...statement: Parameters<Store['write']>): Promise<number> {
    return this.#watch(() => this.#store.write(...statement))
  }

  ready(): Promise<void> {
    return this.#store.ready()
  }

  close(): Promise<void> {
    return this.#store.close()
  }

  async #watchRead<T>(read: () => Promise<T>): Promise<T> {
    this.reads += 1
    this.pending += 1
    try {
      await this.readsFrom
      if (this.failingReads) throw new Error('the disk cannot be read')
      return await read()
    } finally {
      this.pending -= 1
    }
  }

  async #watch<T>(write: () => Promise<T>): Promise<T> {
    this.pending += 1
    try {
      if (this.failing) throw new Error('the disk is full')
      return await write()
    } finally {
      this.pending -= 1
    }
  }
}
