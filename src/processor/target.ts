import type { ShortageKind } from '../runtime/shortage.ts'
import type { ProcessorEvent } from './processor-event.ts'

/** The outcome of one hand-off. It is never a verdict: a verdict only arrives by ChannelFlowCallback. */
export type HandOff =
  /** It has the event, and its attempt ends unobserved. */
  | { result: 'accepted' }
  /** The processor had the event, and its attempt ended without an error. Its return value does not matter. */
  | { result: 'completed' }
  /**
   * The processor had the event, and the attempt ended with an error, a crash or a timeout. It is retried after a minute, or
   * sooner if only the connection broke.
   */
  | { result: 'crashed'; reason: string; retrySoon?: boolean }
  /** The processor did not receive the event. `permanent` if a retry cannot help: the function does not exist. */
  | { result: 'unreached'; reason: string; permanent: boolean }
  /**
   * The processor did not receive the event, and did not cause that: this server had a shortage, or the processor worked a
   * moment ago and is throttled now. The step keeps its position in the queue, and no attempt is counted.
   */
  | { result: 'deferred'; reason: string; cause: ShortageKind | 'throttled' | 'closing' }

/** A kind of processor: a local function, or one behind a Lambda endpoint; a webhook later. */
export interface ProcessorTarget {
  /**
   * Hands one event over and resolves when the attempt has ended. It never rejects. `onHandedOver` is called at most once,
   * as soon as the processor has the event: from then on only the deadline limits the time of its verdict.
   */
  invoke(functionName: string, functionArn: string, event: ProcessorEvent, onHandedOver: () => void): Promise<HandOff>
  /**
   * The number of further events that this function can accept now, from memory: its places without invocations in flight.
   */
  freePlaces(functionName: string): number
  /** Calls the listener whenever a place may have become free without an `invoke` having ended. */
  onFreePlace(listener: () => void): void
  /** Ends all invocations and releases all resources. */
  close(): Promise<void>
}
