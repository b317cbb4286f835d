/** The period of observing the event loop: each timer is set when the previous one has fired. */
export const observeEveryMs = 100
/** A timer that fires later than this shows that the event loop lags. */
const lateMsMax = 200
/** So many late timers in a row take longer than a second. */
const lateInRowMax = 4

/**
 * Whether the event loop has lagged for a whole second. One late timer proves nothing, however late it is: the machine
 * may have slept, its clock may have been set, or one statement may have taken long. So a late timer counts as one,
 * however late it is, and a timer in time ends the lag.
 */
export class LoopLag {
  #lateInRow = 0

  observe(lateMs: number): void {
    this.#lateInRow = lateMs > lateMsMax ? this.#lateInRow + 1 : 0
  }

  get isTooLong(): boolean {
    return this.#lateInRow >= lateInRowMax
  }
}
