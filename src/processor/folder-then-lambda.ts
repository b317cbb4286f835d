import type { FunctionTarget } from './function-target.ts'
import type { HandOff, ProcessorTarget } from './target.ts'

const noEndpoint: HandOff = {
  result: 'unreached',
  reason: 'no Lambda endpoint to ask either: CARILLON_LAMBDA_ENDPOINT sets one',
  permanent: true,
}

/**
 * A function in the folder if there is one of that name, else the one at the Lambda endpoint, if that is set. Where it is,
 * is known from memory. While it is not known, the event stays here: a folder that cannot be read says nothing about
 * where a function is.
 */
export function folderThenLambda(functions: FunctionTarget, lambda: ProcessorTarget | undefined): ProcessorTarget {
  const targetOf = (name: string) => (lambda && functions.absence(name) !== undefined ? lambda : functions)
  const invokeElsewhere = async (absence: string, ...call: Parameters<ProcessorTarget['invoke']>): Promise<HandOff> => {
    const remote = lambda ? await lambda.invoke(...call) : noEndpoint
    return remote.result === 'unreached' ? { ...remote, reason: `${absence}; ${remote.reason}` } : remote
  }
  return {
    async invoke(...call) {
      const absence = functions.absence(call[0])
      if (lambda && absence !== undefined) return invokeElsewhere(absence, ...call)
      const local = await functions.invoke(...call)
      const isAbsent = local.result === 'unreached' && local.permanent
      return isAbsent ? invokeElsewhere(local.reason, ...call) : local
    },
    freePlaces: (name) => targetOf(name).freePlaces(name),
    onFreePlace(listener) {
      functions.onFreePlace(listener)
      lambda?.onFreePlace(listener)
    },
    async close() {
      await Promise.all([functions.close(), lambda?.close()])
    },
  }
}
