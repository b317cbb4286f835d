import { setTimeout } from 'node:timers/promises'

/** Long enough to leave the processor to other processes and threads, which often are what a test waits for. */
const pauseMs = 5

/**
 * Waits for an effect that follows soon after its cause and does not announce itself. The limit is the test's timeout.
 */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await setTimeout(pauseMs)
}
