import type { ShortageKind } from '../runtime/shortage.ts'
import type { ProcessorEvent } from './processor-event.ts'

/** What became of handing one event to a processor. Its verdict comes by ChannelFlowCallback alone, never from here. */
export type HandOff =
  /** It has the event, and its attempt ends unobserved. */
  | { result: 'accepted' }
  /** It had the event, and its attempt ended without an error (whatever it returned). */
  | { result: 'completed' }
  /**
   * It had the event, and the attempt ended in an error, a crash or a timeout. It is tried again later: after a minute, or
   * soon when only the connection was cut.
   */
  | { result: 'crashed'; reason: string; retrySoon?: boolean }
  /** It never had the event. `permanent` when trying again cannot help: no such function. */
  | { result: 'unreached'; reason: string; permanent: boolean }
  /**
   * It never had the event, and that says nothing about it: the server itself ran short of something, or the processor
   * worked a moment ago and has no room now. The step keeps its place in the queue, and no attempt is counted.
   */
  | { result: 'deferred'; reason: string; cause: ShortageKind | 'throttled' | 'closing' }

/** A kind of processor: a local function, or one behind a Lambda endpoint; a webhook later. */
export interface ProcessorTarget {
  /**
   * Hands one event over and resolves when the attempt has ended. Never rejects. `onHandedOver` is called at most once,
   * as soon as the processor has the event: from then on only the deadline limits how long its verdict may take.
   */
  invoke(functionName: string, functionArn: string, event: ProcessorEvent, onHandedOver: () => void): Promise<HandOff>
  /**
   * How many more events this function can take at this moment. Counts what `invoke` was given and has not ended; answers
   * from memory.
   */
  freePlaces(functionName: string): number
  /** Calls the listener whenever a place may have become free without an `invoke` having ended. */
  onFreePlace(listener: () => void): void
  /** Stops what runs and frees what is held. */
  close(): Promise<void>
}
