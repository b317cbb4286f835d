import type { StoredStep, Trouble } from './history.ts'

/** What processors wrote down: which node gave them what, and when they were done with it. */
export interface TurnNote {
  phase: 'begin' | 'end'
  callbackId: string
  /** Of the node. */
  pid: number
  at: number
}

export interface Kill {
  pid: number
  at: number
}

export interface TakeOver {
  kill: Kill
  callbackId: string
  /** Until a processor was given it again, in milliseconds; undefined if that never happened. */
  afterMs: number | undefined
  /** Of that, since the last time that something else befell those that were to take it over. */
  undisturbedMs: number | undefined
}

/**
 * What killed nodes had in hand, and how long it took until another gave it to a processor again. What was decided in
 * the end by the processor that had it already, whose callback went elsewhere or was the node's last, was not taken
 * over by anybody, and is left out.
 */
export function takeOvers(
  kills: Kill[],
  turns: TurnNote[],
  steps: Pick<StoredStep, 'callbackId' | 'decidedAt'>[],
  troubles: Trouble[],
): TakeOver[] {
  const decided = new Map(steps.map(({ callbackId, decidedAt }) => [callbackId, decidedAt]))
  const byCallback = Map.groupBy(turns, ({ callbackId }) => callbackId)
  return kills.flatMap((kill) =>
    [...byCallback].flatMap(([callbackId, notes]): TakeOver[] => {
      const last = notes.findLast(({ at }) => at <= kill.at)
      if (last?.pid !== kill.pid || last.phase === 'end') return []
      const again = notes.find(({ phase, pid, at }) => phase === 'begin' && pid !== kill.pid && at > kill.at)
      const decidedAt = decided.get(callbackId)
      if (decidedAt !== undefined && decidedAt <= (again?.at ?? Number.POSITIVE_INFINITY)) return []
      if (!again) return [{ kill, callbackId, afterMs: undefined, undisturbedMs: undefined }]
      const since = troubles.flatMap(({ from, to }) => [from, to]).filter((at) => at > kill.at && at < again.at)
      const undisturbedMs = again.at - Math.max(kill.at, ...since)
      return [{ kill, callbackId, afterMs: again.at - kill.at, undisturbedMs }]
    }),
  )
}
