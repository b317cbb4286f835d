import type { DerivedSecrets } from '../keys/derived-secrets.ts'
import type { Key } from '../keys/key.ts'
import type { WebIdentity } from '../keys/web-identity.ts'
import type { Reader } from '../store/store.ts'
import type { Form } from './form.ts'
import type { Role } from './roles.ts'
import type { Members } from './xml.ts'

/** What the actions use. */
export interface StsParts {
  read: Reader
  secrets: DerivedSecrets
  /** Of all ARNs. */
  account: string
  roles: readonly Role[]
  /** Undefined if no identity provider is set. */
  webIdentity: WebIdentity | undefined
  /** For tests: how long keys live, whatever the caller asks for. */
  keySeconds?: number | undefined
  now(): number
}

/** One action of STS. Returns the members of the result; throws an StsError. */
export type Action = (form: Form, parts: StsParts, call: { authenticate(): Promise<Key> }) => Promise<Members>
