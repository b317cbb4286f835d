import type { HandOff, ProcessorTarget } from './target.ts'

const noEndpoint: HandOff = {
  result: 'unreached',
  reason: 'no Lambda endpoint to ask either: CARILLON_LAMBDA_ENDPOINT sets one',
  permanent: true,
}

/** A function in the folder if there is one of that name, else the one at the Lambda endpoint, if that is set. */
export function folderThenLambda(functions: ProcessorTarget, lambda: ProcessorTarget | undefined): ProcessorTarget {
  return {
    // Where a function is turns out only when it is called. What is too much for the folder waits there.
    inFlightMax: Math.max(functions.inFlightMax, lambda?.inFlightMax ?? 0),
    async invoke(...call): Promise<HandOff> {
      const local = await functions.invoke(...call)
      if (local.result !== 'unreached' || !local.permanent) return local
      const remote = lambda ? await lambda.invoke(...call) : noEndpoint
      return remote.result === 'unreached' ? { ...remote, reason: `${local.reason}; ${remote.reason}` } : remote
    },
    async close() {
      await Promise.all([functions.close(), lambda?.close()])
    },
  }
}
