import type { Cancel, Clock } from '../../src/runtime/clock.ts'

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #nowMs: number
  #alarms = new Set<{ atMs: number; wake: () => void }>()

  constructor(startMs = Date.UTC(2026, 0, 2, 3, 4, 5)) {
    this.#nowMs = startMs
  }

  now = (): number => this.#nowMs

  at(atMs: number, wake: () => void): Cancel {
    const alarm = { atMs, wake }
    this.#alarms.add(alarm)
    if (atMs <= this.#nowMs) setImmediate(() => this.#ring(alarm))
    return () => this.#alarms.delete(alarm)
  }

  /** When the next timer is due, or undefined if there is none. */
  get nextAlarmMs(): number | undefined {
    const times = [...this.#alarms].map((alarm) => alarm.atMs)
    return times.length === 0 ? undefined : Math.min(...times)
  }

  /** Whether a timer is due at exactly this time. */
  hasAlarmAt(atMs: number): boolean {
    return [...this.#alarms].some((alarm) => alarm.atMs === atMs)
  }

  /** Moves time forward and fires the timers that are due, the earliest first. */
  advance(byMs: number): void {
    const untilMs = this.#nowMs + byMs
    for (let due = this.#due(untilMs); due; due = this.#due(untilMs)) {
      this.#nowMs = Math.max(this.#nowMs, due.atMs)
      this.#ring(due)
    }
    this.#nowMs = untilMs
  }

  /** Moves time forward like a stalled event loop: due timers fire afterwards, late. */
  stall(byMs: number): void {
    const alarms = [...this.#alarms]
    this.#nowMs += byMs
    for (const alarm of alarms) if (alarm.atMs <= this.#nowMs) this.#ring(alarm)
  }

  #due(untilMs: number) {
    return [...this.#alarms].filter((alarm) => alarm.atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)[0]
  }

  #ring(alarm: { atMs: number; wake: () => void }): void {
    if (this.#alarms.delete(alarm)) alarm.wake()
  }
}
