import type { DerivedSecrets } from '../keys/derived-secrets.ts'
import type { IdentityVerifier } from '../keys/identity.ts'
import type { Key } from '../keys/key.ts'
import type { Reader, Store } from '../store/store.ts'
import type { Form } from './form.ts'
import type { Role } from './roles.ts'
import type { UnsignedCalls } from './unsigned-calls.ts'
import type { Members } from './xml.ts'

/** What the actions use. */
export interface StsParts {
  read: Reader
  transaction: Store['transaction']
  secrets: DerivedSecrets
  /** Of all ARNs. */
  account: string
  rootKeyId: string
  roles: readonly Role[]
  /** Undefined if no identity provider is set. */
  webIdentity: IdentityVerifier | undefined
  unsignedCalls: UnsignedCalls
  /** For tests: how long keys live, whatever the caller asks for. */
  keySeconds?: number | undefined
  now(): number
}

/** What the audit log says about the origin of a call. */
export interface Origin {
  requestId: string
  address: string | undefined
}

interface Call {
  origin: Origin
  authenticate(): Promise<Key>
}

/** One action of STS. Returns the members of the result; throws an StsError. */
export type Action = (form: Form, parts: StsParts, call: Call) => Promise<Members>
