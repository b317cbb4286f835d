import type { EventEmitter } from 'node:events'
import type { Clock } from '../runtime/clock.ts'

/** Clients give a lost session up after ten seconds. This leaves the server that comes next as long to start. */
export const stopMsMax = 5000

/** Where sh is bash, `npm start` passes on a Ctrl-C that the terminal has sent already. That is one wish, not two. */
const sameInterruptMs = 300

/**
 * Resolves with the first SIGTERM or SIGINT. A SIGINT after that comes from somebody who will not wait: `leave` is
 * called at once.
 */
export function stopSignal(signals: EventEmitter, clock: Clock, leave: () => void): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  let firstMs: number | undefined
  const hear = (signal: string) => {
    if (firstMs === undefined) {
      firstMs = clock.now()
      resolve(signal)
    } else if (signal === 'SIGINT' && clock.now() - firstMs > sameInterruptMs) {
      leave()
    }
  }
  for (const signal of ['SIGTERM', 'SIGINT']) signals.on(signal, hear)
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
