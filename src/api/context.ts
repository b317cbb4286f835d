import type { Place } from '../contract/arn.ts'
import { operationsWith } from '../contract/operation.ts'
import type { Lease } from '../flow/decision.ts'
import type { Log } from '../runtime/log.ts'
import type { Credentials } from '../signature/credentials.ts'
import type { Reader, Store } from '../store/store.ts'
import type { ChannelEvent } from '../store/tables.ts'
import type { TransientTokens } from './transient-tokens.ts'

/** What every operation works with. */
export interface Services {
  store: Store
  read: Reader
  place: Place
  /** What GetMessagingSessionEndpoint answers: `host[:port]`. */
  sessionHost(): string
  /** Which node leases a new step, and for how long. */
  lease: Lease
  /** Tells the sessions of what leaves no row. */
  announce(event: ChannelEvent): void
  /** Tokens of messages that leave no row. */
  transientTokens: TransientTokens
  /** Signs paging tokens. */
  tokenKey: string
  log: Log
  now(): number
  newId(): string
  random(): number
}

/** One call: the services, and who calls. */
export interface Context extends Services {
  credentials: Credentials
  requestId: string
}

export const operation = operationsWith<Context>()
