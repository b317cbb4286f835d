import type { Key } from '../keys/key.ts'

/** Why a signature is rejected. The names are those of AWS's page "Common Errors". */
export interface Rejection {
  /** The exception's name without `Exception`; also the `Code` in the body of the response. */
  type: RejectionType
  status: 400 | 403
  /** For the caller, in AWS's wording where it is known: some SDKs read the clock skew from it. */
  message: string
  /** For the log: the problem in a few words, and facts. Never a secret. */
  detail: { problem: string; [fact: string]: string }
}

type RejectionType =
  | 'MissingAuthenticationToken'
  | 'IncompleteSignature'
  | 'UnrecognizedClient'
  | 'InvalidSignature'
  | 'ExpiredToken'

export type Verified =
  /** `bearer`: the AppInstanceUser, where a presigner has moved the header into the query. */
  { ok: true; credentials: Key; bearer?: string } | { ok: false; rejection: Rejection }

export const isRejection = (value: object): value is Rejection => 'status' in value

/** The signature cannot be verified, because its parts are missing, malformed or of a form that is not supported. */
export const incomplete = (message: string): Rejection => ({
  type: 'IncompleteSignature',
  status: 400,
  message,
  detail: { problem: message },
})

/** The signature was not made for this call, at this time, with this key. */
export const invalid = (problem: string, message: string, facts: Record<string, string> = {}): Rejection => ({
  type: 'InvalidSignature',
  status: 403,
  message,
  detail: { problem, ...facts },
})

export const missingAuthenticationToken: Rejection = {
  type: 'MissingAuthenticationToken',
  status: 403,
  message: 'Missing Authentication Token',
  detail: { problem: 'no signature, neither in the Authorization header nor in the query' },
}

export const unrecognizedClient = (problem: string, accessKeyId: string): Rejection => ({
  type: 'UnrecognizedClient',
  status: 403,
  message: 'The security token included in the request is invalid.',
  detail: { problem, accessKeyId },
})

export const expiredToken = (accessKeyId: string): Rejection => ({
  type: 'ExpiredToken',
  status: 403,
  message: 'The security token included in the request is expired',
  detail: { problem: 'the credentials have expired', accessKeyId },
})
