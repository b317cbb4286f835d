import type { Cancel, Clock } from '../runtime/clock.ts'

/** Each pause is twice as long as the one before, up to the maximum. Jitter shortens it by up to a half. */
const firstPauseMs = 1_000
const pauseMsMax = 30_000

interface Pause {
  /** The number of pauses of this function that have begun. A hand-off belongs to the round in which it began. */
  round: number
  /** Pauses since the last success. */
  failures: number
  /** Defined during the pause. */
  cancel: Cancel | undefined
  /** Defined after a pause, while no step waits. */
  cancelForget: Cancel | undefined
}

/** A pause that has begun. */
export interface BegunPause {
  /** The number of rounds that have failed in a row. */
  failures: number
  endsAt: number
}

interface PauseParts {
  clock: Clock
  /** From 0 up to 1. */
  random(): number
  /** Called when a pause has ended. Returns whether any step waits for the function. */
  over(functionName: string): boolean
}

/**
 * The functions that are not invoked for now, because a hand-off failed and the function did not cause it. Each function
 * has one timer. The pauses get longer from round to round, whatever the number of failures in a round. They are short
 * again after a hand-off, or when no step has waited for as long as the longest pause: released steps may return.
 */
export class Pauses {
  readonly #parts: PauseParts
  readonly #pauses = new Map<string, Pause>()

  constructor(parts: PauseParts) {
    this.#parts = parts
  }

  has(functionName: string): boolean {
    return this.#pauses.get(functionName)?.cancel !== undefined
  }

  round(functionName: string): number {
    return this.#pauses.get(functionName)?.round ?? 0
  }

  /** A hand-off of this round failed. Returns undefined, without a pause, for a late failure of an earlier round. */
  begin(functionName: string, round: number): BegunPause | undefined {
    const none = { cancel: undefined, cancelForget: undefined }
    const pause = this.#pauses.get(functionName) ?? { round: 0, failures: 0, ...none }
    if (pause.cancel || round !== pause.round) return undefined
    const { clock, random } = this.#parts
    const longestMs = Math.min(pauseMsMax, firstPauseMs * 2 ** pause.failures)
    pause.round += 1
    pause.failures += 1
    pause.cancelForget?.()
    const endsAt = clock.now() + Math.round(longestMs * (0.5 + random() / 2))
    pause.cancel = clock.at(endsAt, () => this.#end(functionName))
    this.#pauses.set(functionName, pause)
    return { failures: pause.failures, endsAt }
  }

  /** A hand-off succeeded: the next pause is a short one. A pause that has begun continues. */
  reset(functionName: string): void {
    const pause = this.#pauses.get(functionName)
    if (pause?.cancel) pause.failures = 0
    else this.#forget(functionName)
  }

  close(): void {
    for (const { cancel, cancelForget } of this.#pauses.values()) {
      cancel?.()
      cancelForget?.()
    }
    this.#pauses.clear()
  }

  #end(functionName: string): void {
    const pause = this.#pauses.get(functionName)
    if (!pause) return
    pause.cancel = undefined
    if (this.#parts.over(functionName)) return
    const { clock } = this.#parts
    pause.cancelForget = clock.at(clock.now() + pauseMsMax, () => this.#forget(functionName))
  }

  #forget(functionName: string): void {
    this.#pauses.get(functionName)?.cancelForget?.()
    this.#pauses.delete(functionName)
  }
}
