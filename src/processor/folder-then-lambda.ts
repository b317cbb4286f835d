import type { FunctionTarget } from './function-target.ts'
import type { HandOff, ProcessorTarget } from './target.ts'

const noEndpoint: HandOff = {
  result: 'unreached',
  reason: 'no Lambda endpoint to ask either: CARILLON_LAMBDA_ENDPOINT sets one',
  permanent: true,
}

/**
 * Invokes the function of that name in the folder; without one, the function at the Lambda endpoint, if that is set. The
 * state in memory decides. While the folder cannot be read, hand-offs are deferred: the function may be in the folder.
 */
export function folderThenLambda(functions: FunctionTarget, lambda: ProcessorTarget | undefined): ProcessorTarget {
  const targetOf = (name: string) => (lambda && functions.isAbsent(name) ? lambda : functions)
  return {
    async invoke(...call) {
      let remote: HandOff | undefined
      if (lambda && functions.isAbsent(call[0])) {
        functions.noteEvent()
        remote = await lambda.invoke(...call)
        if (remote.result !== 'unreached') return remote
      }
      // Before it is missing in both places, the folder is read once more: it may have been added a moment ago.
      const local = await functions.invoke(...call)
      if (local.result !== 'unreached') return local
      remote ??= lambda ? await lambda.invoke(...call) : noEndpoint
      return remote.result === 'unreached' ? { ...remote, reason: `${local.reason}; ${remote.reason}` } : remote
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
