import type { Cancel, Clock } from '../../src/runtime/clock.ts'
import { ManualClock } from './manual-clock.ts'

/** A clock that can be set, as that of a machine: alarms that are set already ring after the time that they had to wait. */
export class SettableClock implements Clock {
  readonly #elapsed = new ManualClock(0)
  #offsetMs = 0
  /** Alarms that were set and have neither rung nor been cancelled. */
  alarms = 0

  now = (): number => this.#elapsed.now() + this.#offsetMs

  at(atMs: number, wake: () => void): Cancel {
    this.alarms += 1
    let isOver = false
    const end = () => {
      if (!isOver) this.alarms -= 1
      isOver = true
    }
    const cancel = this.#elapsed.at(atMs - this.#offsetMs, () => {
      end()
      wake()
    })
    return () => {
      end()
      cancel()
    }
  }

  /** Lets time pass. */
  advance(byMs: number): void {
    this.#elapsed.advance(byMs)
  }

  /** Sets the clock forward, or back. */
  set(byMs: number): void {
    this.#offsetMs += byMs
  }
}
