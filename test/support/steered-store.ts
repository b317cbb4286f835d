import type { Change, OutcomeOf } from '../../src/store/changes.ts'
import type { Committed, Isolation, Store, Transaction } from '../../src/store/store.ts'

/** A hot write that does not reach the store until the test decides its outcome. */
export interface StoppedWrite {
  pass(): void
  fail(error: Error): void
}

/** Wraps a server's real store, so that a test decides when a hot write arrives there, and whether. */
export class SteeredStore implements Store {
  /** The store that the server has opened. */
  opened!: Store
  #stops: { kind: Change['kind']; stopped: PromiseWithResolvers<StoppedWrite> }[] = []

  /** For startTestServer. Its server opens its store at every start. */
  around = (opened: Store): Store => {
    this.opened = opened
    return this
  }

  get read() {
    return this.opened.read
  }

  /** Stops one hot write of this kind: the next that is not stopped already. Resolves when it has arrived. */
  stop(kind: Change['kind']): Promise<StoppedWrite> {
    const stopped = Promise.withResolvers<StoppedWrite>()
    this.#stops.push({ kind, stopped })
    return stopped.promise
  }

  async commit<C extends Change>(change: C): Promise<OutcomeOf<C>> {
    const index = this.#stops.findIndex(({ kind }) => kind === change.kind)
    if (index >= 0) {
      const [stop] = this.#stops.splice(index, 1)
      await new Promise<void>((pass, fail) => stop?.stopped.resolve({ pass, fail }))
    }
    return this.opened.commit(change)
  }

  transaction<T>(work: (transaction: Transaction) => Promise<T>, isolation?: Isolation): Promise<T> {
    return this.opened.transaction(work, isolation)
  }

  onCommit(listener: (committed: Committed) => void): void {
    this.opened.onCommit(listener)
  }

  onUncertain(listener: () => void): void {
    this.opened.onUncertain(listener)
  }

  write(...statement: Parameters<Store['write']>): Promise<number> {
    return this.opened.write(...statement)
  }

  ready(): Promise<void> {
    return this.opened.ready()
  }

  close(): Promise<void> {
    return this.opened.close()
  }
}
