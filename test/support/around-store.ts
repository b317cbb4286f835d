import type { Store } from '../../src/store/store.ts'

/** The store, with the functions of a test in place of its own. */
export const aroundStore = (store: Store, instead: Partial<Store>): Store => ({
  read: store.read,
  commit: (change) => store.commit(change),
  transaction: (...transaction) => store.transaction(...transaction),
  write: (...statement) => store.write(...statement),
  onCommit: (listener) => store.onCommit(listener),
  onUncertain: (listener) => store.onUncertain(listener),
  ready: () => store.ready(),
  close: () => store.close(),
  ...instead,
})
