import type { Clock } from '../../runtime/clock.ts'
import { inTime } from '../../runtime/in-time.ts'

/** No step of the demo takes nearly that long. */
export const waitMsMax = 20_000

/** The result of the work, or an error that names the wait that timed out. */
export const within = <T>(clock: Clock, what: string, work: Promise<T>): Promise<T> =>
  inTime(clock, what, waitMsMax, work)
