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
}

/** What killed nodes had in hand, and how long it took until another gave it to a processor again. */
export function takeOvers(kills: Kill[], turns: TurnNote[]): TakeOver[] {
  const byCallback = Map.groupBy(turns, ({ callbackId }) => callbackId)
  return kills.flatMap((kill) =>
    [...byCallback].flatMap(([callbackId, notes]) => {
      const mine = notes.filter(({ pid, at }) => pid === kill.pid && at <= kill.at)
      // Another had it meanwhile, or it was done: then it was not in hand here.
      const last = notes.findLast(({ at }) => at <= kill.at)
      if (mine.length === 0 || last?.pid !== kill.pid || last.phase === 'end') return []
      const again = notes.find(({ phase, pid, at }) => phase === 'begin' && pid !== kill.pid && at > kill.at)
      return [{ kill, callbackId, afterMs: again && again.at - kill.at }]
    }),
  )
}
