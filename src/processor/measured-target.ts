import type { Metrics } from '../runtime/metrics.ts'
import type { ProcessorTarget } from './target.ts'

/** The same target, with its attempts counted and timed. Steps wait in the flow engine, so no wait is among the times. */
export const measured = (target: ProcessorTarget, metrics: Metrics): ProcessorTarget => ({
  freePlaces: (functionName) => target.freePlaces(functionName),
  onFreePlace: (listener) => target.onFreePlace(listener),
  async invoke(functionName, ...given) {
    const end = metrics.beginDispatch(functionName)
    const handOff = await target.invoke(functionName, ...given)
    end(handOff.result)
    return handOff
  },
  close: () => target.close(),
})
