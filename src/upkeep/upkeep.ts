import { setTimeout as wait } from 'node:timers/promises'
import { type Cancel, type Clock, every } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { type Store, StoreUnavailable } from '../store/store.ts'
import { acquireWork, findDueWork, finishPiece, putOffWork } from '../store/work.ts'
import type { Kind } from './kind.ts'

/** The interval at which a node polls for due work. */
const lookEveryMs = 1_000
/** The delay before the retry of a failed piece. */
const retryMs = 60_000
/**
 * The maximum of the pause after a piece. The pause is as long as the piece, so that calls get half of the event loop.
 */
const restMsMax = 50

interface UpkeepParts {
  store: Store
  node: { readonly id: string }
  clock: Clock
  log: Log
  kinds: readonly Kind[]
  /** Monotonic elapsed time, in milliseconds. */
  elapsedMs(): number
}

/**
 * Does background work in pieces, one piece of each kind round-robin, so that no kind waits for the end of another one.
 * Within a kind the oldest due work is first, and no two nodes do the same.
 */
export class Upkeep {
  readonly #parts: UpkeepParts
  #looking: Promise<void> | undefined
  #cancel: Cancel = () => {}
  #isScheduled = false
  #isClosed = false

  constructor(parts: UpkeepParts) {
    this.#parts = parts
  }

  /** Polls for work now, and then once a second. */
  start(): void {
    this.#cancel = every(this.#parts.clock, lookEveryMs, () => void this.look())
    void this.look()
  }

  /** Does all due work that this node may do. Only one poll runs at a time: a call during one returns its promise. */
  look(): Promise<void> {
    this.#looking ??= this.#doAll().finally(() => {
      this.#looking = undefined
    })
    return this.#looking
  }

  /** Begins no further piece: another node, or the next start, does the rest of the work. */
  stop(): void {
    this.#isClosed = true
    this.#cancel()
  }

  /** Resolves when the piece in progress has ended. */
  async close(): Promise<void> {
    this.stop()
    await this.#looking
  }

  async #scheduleRecurring(): Promise<void> {
    const { store, clock, kinds } = this.#parts
    if (this.#isScheduled) return
    const now = clock.now()
    const recurring = kinds.filter(({ everyMs }) => everyMs !== undefined)
    await store.transaction(async (transaction) => {
      for (const { kind } of recurring) {
        await transaction.insertOnce('work', { kind, subject: '', due_at: now, owner: '' })
      }
    })
    this.#isScheduled = true
  }

  async #doAll(): Promise<void> {
    const { log } = this.#parts
    try {
      await this.#scheduleRecurring()
      while (!this.#isClosed && (await this.#doRound()) > 0);
    } catch (error) {
      // The next poll retries it.
      if (!(error instanceof StoreUnavailable)) log.error({ err: error }, 'looking for background work failed')
      else log.debug({ reason: error.message }, 'background work waits: the store is unavailable')
    }
  }

  /** Does one piece of each kind with due work. Resolves to the number of pieces. */
  async #doRound(): Promise<number> {
    const { store, node, clock, kinds } = this.#parts
    const due = { node: node.id, now: clock.now() }
    const subjects = await Promise.all(kinds.map(({ kind }) => findDueWork(store.read, kind, due)))
    let pieces = 0
    for (const [index, kind] of kinds.entries()) {
      const subject = subjects[index]
      if (subject === undefined || this.#isClosed) continue
      await this.#doPiece(kind, subject)
      pieces += 1
    }
    return pieces
  }

  async #doPiece(kind: Kind, subject: string): Promise<void> {
    const { elapsedMs } = this.#parts
    const begunMs = elapsedMs()
    try {
      await this.#commitPiece(kind, subject)
    } catch (error) {
      if (error instanceof StoreUnavailable) throw error
      await this.#putOff(kind, subject, error)
    }
    // A stop waits for it. When nothing else runs any more, this timer keeps the process from ending before the stop does.
    if (!this.#isClosed) await wait(Math.min(elapsedMs() - begunMs, restMsMax))
  }

  async #commitPiece(kind: Kind, subject: string): Promise<void> {
    const { store, node, clock, log } = this.#parts
    const key = { kind: kind.kind, subject }
    const end = await store.transaction(async (transaction) => {
      const now = clock.now()
      const work = await acquireWork(transaction, key, { node: node.id, now })
      if (!work) return undefined
      const ended = await kind.piece(transaction, work, now)
      const dueAgain = kind.everyMs !== undefined && now + kind.everyMs
      await finishPiece(
        transaction,
        key,
        ended.state === 'done' && dueAgain ? { state: 'later', dueAt: dueAgain } : ended,
      )
      return ended
    }, 'read committed')
    end?.afterCommit?.()
    if (end?.state === 'done' && !end.unchanged) log[kind.isOften ? 'debug' : 'info']({ subject }, kind.done)
  }

  async #putOff({ kind }: Kind, subject: string, error: unknown): Promise<void> {
    const { store, node, clock, log } = this.#parts
    log.error({ err: error, kind, subject, retryMs }, 'a piece of background work failed; trying again')
    const failure = error instanceof Error ? error.message : String(error)
    const put = { node: node.id, dueAt: clock.now() + retryMs, failure }
    await store.transaction((transaction) => putOffWork(transaction, { kind, subject }, put), 'read committed')
  }
}
