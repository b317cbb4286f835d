import type { Cancel, Clock } from '../runtime/clock.ts'

/** The first pause, which doubles up to the longest. At random half of it may be left out. */
const firstPauseMs = 1_000
const pauseMsMax = 30_000

interface Pause {
  /** How many pauses of this function have begun: an event is of the round in which it was handed over. */
  round: number
  /** Pauses since the last success. */
  failures: number
  /** While the pause lasts. */
  cancel: Cancel | undefined
  /** After a pause, while no step waits. */
  cancelForget: Cancel | undefined
}

/** A pause that has begun. */
export interface BegunPause {
  /** How many rounds have failed in a row. */
  failures: number
  endsAt: number
}

interface PauseParts {
  clock: Clock
  /** From 0 up to 1. */
  random(): number
  /** A pause is over. Returns whether any step waits for the function. */
  over(functionName: string): boolean
}

/**
 * Which functions are given nothing for now, because an event could not be handed over and the function is not to
 * blame. One timer for each function. The pauses grow from round to round, however many events fail in one, until an
 * event is handed over, or no step has waited for as long as the longest pause: steps that were given back may return.
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

  /** An event of this round could not be handed over. Late news of an earlier round begins no pause: undefined. */
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

  /** An event was handed over: the next pause is a short one. A pause that has begun continues. */
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
