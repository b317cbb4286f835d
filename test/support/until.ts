import { setImmediate } from 'node:timers/promises'

/** Waits for what comes soon after its cause. The limit is the test's timeout. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await setImmediate()
}
