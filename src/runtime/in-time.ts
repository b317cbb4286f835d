import type { Clock } from './clock.ts'

/** Returns the result of the work, or throws an error that names the wait that timed out. The work itself continues. */
export async function inTime<T>(clock: Clock, what: string, waitMsMax: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const timedOut = new Error(`${what}: timed out after ${waitMsMax / 1000} s`)
  const cancel = clock.at(clock.now() + waitMsMax, () => reject(timedOut))
  try {
    return await Promise.race([work, late])
  } finally {
    cancel()
  }
}
