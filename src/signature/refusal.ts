import type { Credentials } from './credentials.ts'

/** Why a call is not believed to come from a key's holder: the names of AWS's page "Common Errors". */
export interface Refusal {
  /** The exception's name without `Exception`; also the `Code` of the answer's body. */
  type: RefusalType
  status: 400 | 403
  /** For the caller, in AWS's wording where it is known: some SDKs read the clock's skew out of it. */
  message: string
  /** For the log: what is wrong in a few plain words, and facts beside it. Never a secret. */
  detail: { problem: string; [fact: string]: string }
}

type RefusalType =
  | 'MissingAuthenticationToken'
  | 'IncompleteSignature'
  | 'UnrecognizedClient'
  | 'InvalidSignature'
  | 'ExpiredToken'

export type Verified =
  /** `bearer`: the AppInstanceUser, where a presigner has moved the header into the query. */
  { ok: true; credentials: Credentials; bearer?: string } | { ok: false; refusal: Refusal }

export const isRefusal = (value: object): value is Refusal => 'status' in value

/** The signature cannot be checked, because its parts are missing, malformed or of a form that is not taken. */
export const incomplete = (message: string): Refusal => ({
  type: 'IncompleteSignature',
  status: 400,
  message,
  detail: { problem: message },
})

/** The signature was made, but not for this call, at this time, with this key. */
export const invalid = (problem: string, message: string, facts: Record<string, string> = {}): Refusal => ({
  type: 'InvalidSignature',
  status: 403,
  message,
  detail: { problem, ...facts },
})

export const missingAuthenticationToken: Refusal = {
  type: 'MissingAuthenticationToken',
  status: 403,
  message: 'Missing Authentication Token',
  detail: { problem: 'no signature, neither in the Authorization header nor in the query' },
}

export const unrecognizedClient = (problem: string, accessKeyId: string): Refusal => ({
  type: 'UnrecognizedClient',
  status: 403,
  message: 'The security token included in the request is invalid.',
  detail: { problem, accessKeyId },
})

export const expiredToken = (accessKeyId: string): Refusal => ({
  type: 'ExpiredToken',
  status: 403,
  message: 'The security token included in the request is expired',
  detail: { problem: 'the credentials have expired', accessKeyId },
})
