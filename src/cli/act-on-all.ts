import { CallRejected } from './running-server.ts'

/** So many calls are in flight at a time. */
const callsMax = 8

/** `decided`: a callback or another person was first. */
type Outcome = 'done' | 'not needed' | 'decided'
export type OutcomeCounts = Record<Outcome, number>

/**
 * Calls `act` for each message; it resolves to whether the message needed it. A message that was decided in the meantime is
 * counted; after any other error no further call begins. `done` is called after each call.
 */
export async function actOnAll<Message>(
  messages: readonly Message[],
  act: (message: Message) => Promise<boolean>,
  done: (count: number) => void,
): Promise<OutcomeCounts> {
  const counts: OutcomeCounts = { done: 0, 'not needed': 0, decided: 0 }
  let count = 0
  // A worker that throws ends the iterator of all of them.
  const left = each(messages)
  const work = async () => {
    for (const message of left) {
      counts[await outcomeOf(act(message))] += 1
      count += 1
      done(count)
    }
  }
  await Promise.all(Array.from({ length: callsMax }, work))
  return counts
}

function* each<T>(items: readonly T[]): Generator<T> {
  yield* items
}

async function outcomeOf(call: Promise<boolean>): Promise<Outcome> {
  try {
    return (await call) ? 'done' : 'not needed'
  } catch (error) {
    if (error instanceof CallRejected && (error.status === 409 || error.status === 404)) return 'decided'
    throw error
  }
}
