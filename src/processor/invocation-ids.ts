import type { Clock } from '../runtime/clock.ts'

/** The ids that Lambda gives an invocation. `newId` returns a random UUID. */
export function newInvocationIds({ newId, clock }: { newId(): string; clock: Clock }) {
  const seconds = Math.floor(clock.now() / 1000).toString(16)
  return {
    awsRequestId: newId(),
    traceId: `Root=1-${seconds.padStart(8, '0')}-${newId().replaceAll('-', '').slice(0, 24)};Sampled=0`,
  }
}
