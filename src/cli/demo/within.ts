import type { Clock } from '../../runtime/clock.ts'
import { inTime } from '../../runtime/in-time.ts'

/** As long as a person waits without wondering. No step of the demo takes nearly that long. */
export const waitMsMax = 20_000

/** The result of the work, or an error that says what did not come in time. */
export const within = <T>(clock: Clock, what: string, work: Promise<T>): Promise<T> =>
  inTime(clock, what, waitMsMax, work)
