import type { Metrics } from '../runtime/metrics.ts'
import type { FunctionRecords } from './function-records.ts'
import type { ProcessorTarget } from './target.ts'

/** The same target, with its attempts counted and timed. Steps wait in the flow engine, so no wait is among the times. */
export const measured = (target: ProcessorTarget, metrics: Metrics, records: FunctionRecords): ProcessorTarget => ({
  freePlaces: (functionName) => target.freePlaces(functionName),
  onFreePlace: (listener) => target.onFreePlace(listener),
  async invoke(functionName, ...given) {
    const end = metrics.beginDispatch(functionName)
    const handOff = await target.invoke(functionName, ...given)
    end(handOff.result)
    records.note(functionName, handOff)
    return handOff
  },
  close: () => target.close(),
})
