import type { Clock } from '../../runtime/clock.ts'
import type { Log } from '../../runtime/log.ts'
import type { Store } from '../../store/store.ts'
import type { StepRow } from '../../store/tables.ts'

const writeEveryMs = 1_000
/** Steps whose rejected callbacks are counted at a time; those of further steps are not counted. */
const stepsMax = 1_000

type StepKey = Pick<StepRow, 'channel_id' | 'callback_id'>

interface Parts {
  store: Pick<Store, 'transaction'>
  clock: Clock
  log: Log
}

/** Counts the rejected callbacks of each step for its timeline: in memory first, and in the rows once a second. */
export class RejectedCallbacks {
  readonly #parts: Parts
  #counts = new Map<string, { step: StepKey; count: number }>()
  #isScheduled = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  add({ channel_id, callback_id }: StepKey): void {
    const known = this.#counts.get(callback_id)
    if (known) known.count += 1
    else if (this.#counts.size < stepsMax) {
      this.#counts.set(callback_id, { step: { channel_id, callback_id }, count: 1 })
    }
    if (this.#isScheduled) return
    this.#isScheduled = true
    const { clock } = this.#parts
    clock.at(clock.now() + writeEveryMs, () => void this.write())
  }

  /** Counts that cannot be written now are dropped: they only inform. */
  async write(): Promise<void> {
    this.#isScheduled = false
    const counts = [...this.#counts.values()]
    this.#counts = new Map()
    if (counts.length === 0) return
    const { store, log } = this.#parts
    const work = store.transaction(async (transaction) => {
      for (const { step, count } of counts) {
        await transaction.run(
          `UPDATE flow_step SET rejected_callbacks = rejected_callbacks + $1
           WHERE channel_id = $2 AND callback_id = $3`,
          count,
          step.channel_id,
          step.callback_id,
        )
      }
    }, 'read committed')
    await work.catch((err) => log.debug({ err }, 'rejected callbacks were not counted'))
  }
}
