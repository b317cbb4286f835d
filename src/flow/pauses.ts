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
}

interface PauseParts {
  clock: Clock
  /** From 0 up to 1. */
  random(): number
  /** A pause is over. Returns whether any step waits for the function. */
  over(functionName: string): boolean
}

/**
 * Which functions are given nothing for now, because an event could not be handed over and the function is not to blame.
 * One timer for each function. The pauses grow from round to round, however many events fail in one, until an event is
 * handed over.
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

  /** An event of this round could not be handed over. Late news of an earlier round begins no pause. */
  begin(functionName: string, round: number): void {
    const pause = this.#pauses.get(functionName) ?? { round: 0, failures: 0, cancel: undefined }
    if (pause.cancel || round !== pause.round) return
    const { clock, random } = this.#parts
    const longestMs = Math.min(pauseMsMax, firstPauseMs * 2 ** pause.failures)
    pause.round += 1
    pause.failures += 1
    pause.cancel = clock.at(clock.now() + Math.round(longestMs * (0.5 + random() / 2)), () => this.#end(functionName))
    this.#pauses.set(functionName, pause)
  }

  /** An event was handed over: the next pause is a short one. One that lasts goes on. */
  reset(functionName: string): void {
    const pause = this.#pauses.get(functionName)
    if (pause?.cancel) pause.failures = 0
    else this.#pauses.delete(functionName)
  }

  close(): void {
    for (const { cancel } of this.#pauses.values()) cancel?.()
    this.#pauses.clear()
  }

  #end(functionName: string): void {
    const pause = this.#pauses.get(functionName)
    if (!pause) return
    pause.cancel = undefined
    if (!this.#parts.over(functionName)) this.#pauses.delete(functionName)
  }
}
