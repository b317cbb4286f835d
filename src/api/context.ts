import type { AwsLocation } from '../contract/arn.ts'
import { type OperationFacts, operationsWith } from '../contract/operation.ts'
import type { OwnNode } from '../flow/decision.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Credentials } from '../signature/credentials.ts'
import type { ChannelEvent } from '../store/channel-event.ts'
import type { Reader, Store } from '../store/store.ts'
import type { SendAdmission } from './send-admission.ts'
import type { TransientTokens } from './transient-tokens.ts'

/** What every operation works with. */
export interface ApiParts {
  store: Store
  read: Reader
  location: AwsLocation
  /** What GetMessagingSessionEndpoint answers: `host[:port]`. */
  sessionHost(): string
  /** The node that owns a flow's new step. */
  node: OwnNode
  /** Publishes an event that leaves no row; the commit of a row publishes every other event. */
  announce(event: ChannelEvent): void
  /** Begins a send when its turn has come. */
  admission: Pick<SendAdmission, 'run'>
  /** Which messages were sent that leave no row. */
  transientTokens: TransientTokens
  /** Signs paging tokens. */
  tokenKey: string
  metrics: Pick<Metrics, 'countCallback'>
  log: Log
  now(): number
  newId(): string
  random(): number
}

/** One call: what every operation works with, which operation is called, and by whom. */
export interface Context extends ApiParts {
  operation: OperationFacts
  credentials: Credentials
  requestId: string
  /** The same for an SDK's call and its own retries of it. */
  invocationId: string | undefined
}

export const operation = operationsWith<Context>()
