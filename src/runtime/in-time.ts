import type { Clock } from './clock.ts'

/** The result of the work, or an error that says what did not come in time. The work itself goes on. */
export async function inTime<T>(clock: Clock, what: string, waitMsMax: number, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const tooLate = new Error(`${what}: nothing came within ${waitMsMax / 1000} s`)
  const cancel = clock.at(clock.now() + waitMsMax, () => reject(tooLate))
  try {
    return await Promise.race([work, late])
  } finally {
    cancel()
  }
}
