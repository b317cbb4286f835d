import type { EventEmitter } from 'node:events'
import type { Clock } from '../runtime/clock.ts'

/** Clients give up a lost session after ten seconds. This leaves the other half to the start of the next server. */
export const stopMsMax = 5000

/** If sh is bash, `npm start` forwards a Ctrl-C that the terminal has sent already. Both count as one. */
const sameInterruptMs = 300

/**
 * Resolves with the first SIGTERM or SIGINT. A SIGINT after that comes from a user who will not wait: `leave` is called
 * at once.
 */
export function stopSignal(signals: EventEmitter, clock: Clock, leave: () => void): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let firstMs: number | undefined
  const receive = (signal: string) => {
    if (firstMs === undefined) {
      firstMs = clock.now()
      resolve(signal)
    } else if (signal === 'SIGINT' && clock.now() - firstMs > sameInterruptMs) {
      leave()
    }
  }
  for (const signal of ['SIGTERM', 'SIGINT']) signals.on(signal, receive)
  return promise
}

/** Whether `close` was done within `stopMsMax`. */
export async function closesInTime(close: () => Promise<void>, clock: Clock): Promise<boolean> {
  const { promise: late, resolve } = Promise.withResolvers<boolean>()
  const cancel = clock.at(clock.now() + stopMsMax, () => resolve(false))
  try {
    return await Promise.race([close().then(() => true), late])
  } finally {
    cancel()
  }
}
