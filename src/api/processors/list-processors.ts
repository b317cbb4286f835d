import { readPausedFunctions } from '../../flow/paused-functions.ts'
import { readPending } from '../../flow/pending.ts'
import type { ProcessorState } from '../../processor/processor-states.ts'
import type { Reader } from '../../store/store.ts'

/** So many functions are listed one by one; the last entry of those that hold messages has the sum of the others. */
const namedMax = 1_000

/** What this node knows of processors, without reading the store: those with these names, and all others. */
export type StatesOf = (names: Iterable<string>) => ProcessorState[]

/** One processor, as ListProcessors returns it. */
export type ListedProcessor = ReturnType<typeof toWire>

/**
 * The functions that hold messages, the one with the oldest message first; then all others that are paused, in the
 * functions folder, or had a message on this node.
 */
export async function listProcessors(read: Reader, statesOf: StatesOf, now: number): Promise<ListedProcessor[]> {
  const paused = new Set(await readPausedFunctions(read))
  const pending = await readPending(read, now, namedMax)
  const held = new Map(pending.map((one) => [one.processor, one]))
  const states = statesOf([...held.keys(), ...paused])
  return states.slice(0, namedMax).map((state) => toWire(state, held.get(state.functionName), paused))
}

function toWire(
  { functionName, state, error, lastOutput, ...counts }: ProcessorState,
  held: { messages: number; oldestSeconds: number } | undefined,
  paused: ReadonlySet<string>,
) {
  const isPaused = paused.has(functionName)
  return {
    FunctionName: functionName,
    Held: held?.messages ?? 0,
    OldestSeconds: held?.oldestSeconds ?? 0,
    Paused: isPaused,
    State: isPaused ? ('paused' as const) : state,
    Error: error,
    Calls: counts.calls,
    Errors: counts.errors,
    Waiting: counts.waiting,
    AtProcessor: counts.atProcessor,
    Places: counts.places,
    LastOutput: [...lastOutput],
  }
}

/** Errors and output may repeat what a person wrote: a key that only reads or reviews does not get them. */
export const withoutOutput = (processor: ListedProcessor): ListedProcessor => ({
  ...processor,
  Error: undefined,
  LastOutput: [],
})
