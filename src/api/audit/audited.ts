import { appInstanceOf } from '../../contract/arn.ts'
import type { Operation } from '../../contract/operation.ts'
import type { Tag } from '../../contract/structures/tags.ts'
import { type Act, recordAct } from '../../store/audit.ts'
import type { Isolation, Transaction } from '../../store/store.ts'
import type { ApiStore, Context } from '../context.ts'
import { isExtensionKey } from '../tags/tag.ts'
import { WatchedTransaction } from './watched-transaction.ts'

/**
 * The operation, with a row of the audit log for each call of it that an operator's key signs. The row is part of the
 * transaction that changes something, and a call that changes nothing leaves none. An audited operation without a
 * transaction only reads: its row is committed before the response.
 *
 * A call that is refused leaves no row: a row for each would let a key that may do nothing fill the store.
 */
export function withAudit(operation: Operation<Context>): Operation<Context> {
  if (!operation.audited) return operation
  return {
    ...operation,
    async invoke(input, context) {
      if (context.credentials.grant.kind !== 'operator') return operation.invoke(input, context)
      const audit = new CallAudit(input, context)
      const output = await operation.invoke(input, { ...context, store: audit.store })
      await audit.recordReading(output)
      return output
    },
  }
}

/** What the store is asked for in one audited call. */
class CallAudit {
  readonly #input: object
  readonly #context: Context
  #isRecorded = false
  #hasTransaction = false
  /** The store as the operation sees it. */
  readonly store: ApiStore

  constructor(input: object, context: Context) {
    this.#input = input
    this.#context = context
    this.store = {
      transaction: (work, isolation) => this.#transaction(work, isolation),
      commit: outsideTransaction,
      write: outsideTransaction,
    }
  }

  /** If the operation makes two transactions, the first that changes something has the row. */
  async #transaction<T>(work: (transaction: Transaction) => Promise<T>, isolation?: Isolation): Promise<T> {
    this.#hasTransaction = true
    const { store } = this.#context
    if (this.#isRecorded) return store.transaction(work, isolation)
    const { result, isRecorded } = await store.transaction(async (transaction) => {
      const watched = new WatchedTransaction(transaction)
      const result = await work(watched)
      if (watched.hasChanged) await recordAct(transaction, this.#act(result))
      return { result, isRecorded: watched.hasChanged }
    }, isolation)
    this.#isRecorded = isRecorded
    return result
  }

  async recordReading(output: object): Promise<void> {
    if (this.#hasTransaction) return
    await this.#context.store.transaction((transaction) => recordAct(transaction, this.#act(output)), 'read committed')
  }

  /** `result`: of the transaction, which has the id of what it has created. */
  #act(result: unknown): Act {
    const { credentials, operation, requestId, address, now } = this.#context
    const values: Record<string, unknown> = { ...(result as object), ...this.#input }
    const members = [...operation.resources, ...(operation.audited ?? [])]
    const facts = Object.fromEntries(members.map((member) => [member, factOf(member, values[member])]))
    return {
      at: now(),
      accessKeyId: credentials.accessKeyId,
      keyName: credentials.name,
      action: `${operation.service ?? 'chime'}:${operation.name}`,
      scopeArn:
        credentials.grant.kind === 'operator' ? (credentials.grant.appInstanceArn ?? scopeOf(facts)) : undefined,
      facts,
      address,
      requestId,
    }
  }
}

/** Tags that configure the server are facts; other tags are text of the caller. */
function factOf(member: string, value: unknown): unknown {
  if (member !== 'Tags' && member !== 'TagKeys') return value
  const own = ((value ?? []) as (Tag | string)[]).filter((tag) =>
    isExtensionKey(typeof tag === 'string' ? tag : tag.Key),
  )
  return own.length === 0 ? undefined : own
}

function outsideTransaction(): never {
  throw new Error('an audited operation writes in transactions, with which its row is committed')
}

/** The AppInstance of the resources that the facts name. */
function scopeOf(facts: Record<string, unknown>): string | undefined {
  for (const fact of Object.values(facts)) {
    const scope = typeof fact === 'string' ? appInstanceOf(fact) : undefined
    if (scope !== undefined) return scope
  }
  return undefined
}
