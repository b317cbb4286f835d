import type { ProcessorEvent } from './processor-event.ts'

/** What became of handing one event to a processor. Its verdict comes by ChannelFlowCallback alone, never from here. */
export type HandOff =
  /** It has the event, and nobody here will hear how its attempt ends. */
  | { result: 'accepted' }
  /** It had the event, and its attempt ended without an error (whatever it returned). */
  | { result: 'completed' }
  /** It had the event, and the attempt ended in an error, a crash or a timeout. It is tried again later. */
  | { result: 'crashed'; reason: string }
  /** It never had the event. `permanent` when trying again cannot help: no such function. */
  | { result: 'unreached'; reason: string; permanent: boolean }

/** A kind of processor: a local function, or one behind a Lambda endpoint; a webhook later. */
export interface ProcessorTarget {
  /**
   * Hands one event over and resolves when the attempt has ended. Never rejects. `onHandedOver` is called at most once,
   * as soon as the processor has the event: from then on only the deadline limits how long its verdict may take.
   */
  invoke(functionName: string, functionArn: string, event: ProcessorEvent, onHandedOver: () => void): Promise<HandOff>
  /** How many events this processor may hold at the same time. */
  readonly inFlightMax: number
  /** Stops what runs and frees what is held. */
  close(): Promise<void>
}
