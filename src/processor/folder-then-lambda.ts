import { childrenMax } from './function-pool.ts'
import type { HandOff, ProcessorTarget } from './target.ts'

const noEndpoint: HandOff = {
  result: 'unreached',
  reason: 'no Lambda endpoint to ask either: CARILLON_LAMBDA_ENDPOINT sets one',
  permanent: true,
}

/** A function in the folder if there is one of that name, else the one at the Lambda endpoint, if that is set. */
export function folderThenLambda(functions: ProcessorTarget, lambda: ProcessorTarget | undefined): ProcessorTarget {
  const inFlight = new Map<string, number>()
  const add = (name: string, calls: number) => inFlight.set(name, (inFlight.get(name) ?? 0) + calls)
  const invoke = async (...call: Parameters<ProcessorTarget['invoke']>): Promise<HandOff> => {
    const local = await functions.invoke(...call)
    if (local.result !== 'unreached' || !local.permanent) return local
    const remote = lambda ? await lambda.invoke(...call) : noEndpoint
    return remote.result === 'unreached' ? { ...remote, reason: `${local.reason}; ${remote.reason}` } : remote
  }
  return {
    invoke(...call) {
      add(call[0], 1)
      return invoke(...call).finally(() => add(call[0], -1))
    },
    freePlaces: (name) => (lambda ? 32 : childrenMax) - (inFlight.get(name) ?? 0),
    onFreePlace(listener) {
      functions.onFreePlace(listener)
      lambda?.onFreePlace(listener)
    },
    async close() {
      await Promise.all([functions.close(), lambda?.close()])
    },
  }
}
