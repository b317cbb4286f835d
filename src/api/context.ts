import type { AwsLocation } from '../contract/arn.ts'
import { type OperationFacts, operationsWith } from '../contract/operation.ts'
import type { OwnNode } from '../flow/decision.ts'
import type { DerivedSecrets } from '../keys/derived-secrets.ts'
import type { Key } from '../keys/key.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { ChannelEvent } from '../store/channel-event.ts'
import type { Reader, Store } from '../store/store.ts'
import type { Job } from '../store/tables.ts'
import type { RejectedCallbacks } from './channel-flows/rejected-callbacks.ts'
import type { MessageIds } from './channel-messages/message-ids.ts'
import type { Finding } from './diagnosis/finding.ts'
import type { StatesOf } from './processors/list-processors.ts'
import type { SendAdmission } from './send-admission.ts'
import type { TransientTokens } from './transient-tokens.ts'

/** The writes of operations. */
export type ApiStore = Pick<Store, 'commit' | 'transaction' | 'write'>

/** The dependencies of every operation. */
export interface ApiParts {
  store: ApiStore
  read: Reader
  location: AwsLocation
  /** The response of GetMessagingSessionEndpoint: `host[:port]`. */
  sessionHost(): string
  /** The owner of new steps. */
  node: OwnNode
  /** Publishes an event that leaves no row; the commit of a row publishes every other event. */
  announce(event: ChannelEvent): void
  /** The admission of sends. */
  admission: Pick<SendAdmission, 'run'>
  /** The idempotency keys of messages without a row. */
  transientTokens: TransientTokens
  messageIds: MessageIds
  /** The flow engine of this node (flow/engine.ts). */
  engine: { attemptIsOver(callbackId: string): boolean; handAgain(job: Job): void }
  rejectedCallbacks: Pick<RejectedCallbacks, 'add'>
  /** This node, for GetDiagnosis. */
  machine: {
    isFunctionAbsent(functionName: string): boolean
    /** Checks that fail, and limits that are too low. */
    problems(): Promise<Finding[]>
  }
  /** What this node knows of processors. */
  processors: StatesOf
  /** Signs paging tokens. */
  tokenKey: string
  /** Make temporary keys. */
  keySecrets: DerivedSecrets
  metrics: Pick<Metrics, 'countCallback'>
  log: Log
  now(): number
  newId(): string
  random(): number
}

/** One call: the dependencies, the operation and the caller. */
export interface Context extends ApiParts {
  operation: OperationFacts
  credentials: Key
  requestId: string
  /** Undefined if the connection is gone. */
  address: string | undefined
  /** An SDK uses the same id for a call and its own retries of it. */
  invocationId: string | undefined
}

export const operation = operationsWith<Context>()
