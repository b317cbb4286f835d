import { type TestContext, test } from 'node:test'
import type { Committed, Store } from '../../src/store/store.ts'
import { acceptMessageCases } from './accept-message-cases.ts'
import { acceptUpdateCases } from './accept-update-cases.ts'
import { decideStepCases } from './decide-step-cases.ts'
import { extensionCases } from './extension-cases.ts'
import { heldCases } from './held-cases.ts'
import { ownStepsCases } from './own-steps-cases.ts'
import { takeStepsCases } from './take-steps-cases.ts'
import { tombstoneCases } from './tombstone-cases.ts'
import { transactionCases } from './transaction-cases.ts'

/** A store under test, empty at first, and closed when the test is over. */
export interface OpenStore {
  store: Store
  /** Closes the store and opens its files again. */
  reopen(): Promise<Store>
}

/** What every engine must do: a test for each sentence. */
export type Cases = { [sentence: string]: (open: OpenStore) => Promise<void> }

/** The contract of the Store port: one suite, run by every engine. */
export function storeSuite(engine: string, open: (context: TestContext) => Promise<OpenStore>): void {
  const hotWrites = [acceptMessageCases, acceptUpdateCases, decideStepCases, takeStepsCases, tombstoneCases]
  for (const cases of [...hotWrites, extensionCases, ownStepsCases, heldCases, transactionCases]) {
    for (const [sentence, prove] of Object.entries(cases)) {
      test(`${engine}: ${sentence}`, async (context) => prove(await open(context)))
    }
  }
}

/** The commits that the store reports from now on. */
export function listenTo(store: Store): Committed[] {
  const told: Committed[] = []
  store.onCommit((committed) => told.push(committed))
  return told
}
