import type { Clock } from '../../runtime/clock.ts'

/** As long as a person waits without wondering. No step of the demo takes nearly that long. */
export const waitMsMax = 20_000

/** The result of the work, or an error that says what did not come in time. */
export async function within<T>(clock: Clock, what: string, work: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>()
  const tooLate = new Error(`${what}: nothing came within ${waitMsMax / 1000} s`)
  const cancel = clock.at(clock.now() + waitMsMax, () => reject(tooLate))
  try {
    return await Promise.race([work, late])
  } finally {
    cancel()
  }
}
