import type { Rejection } from '../signature/rejection.ts'

/**
 * The errors of AWS's STS that this server returns, with their HTTP status (AWS Security Token Service API Reference,
 * "Common Errors" and the pages of the actions).
 */
const statuses = {
  AccessDenied: 403,
  ExpiredToken: 403,
  ExpiredTokenException: 400,
  IDPCommunicationError: 400,
  IncompleteSignature: 400,
  InternalFailure: 500,
  InvalidAction: 400,
  InvalidClientTokenId: 403,
  InvalidIdentityToken: 400,
  MissingAuthenticationToken: 403,
  RequestEntityTooLarge: 413,
  ServiceUnavailable: 503,
  SignatureDoesNotMatch: 403,
  ValidationError: 400,
} as const

export type StsErrorCode = keyof typeof statuses

/** An error response. Its message never repeats a token or a secret. */
export class StsError extends Error {
  readonly code: StsErrorCode

  constructor(code: StsErrorCode, message: string) {
    super(message)
    this.code = code
  }

  get status(): number {
    return statuses[this.code]
  }
}

export const validationError = (message: string) => new StsError('ValidationError', message)

/** The names that STS has for the rejections of a signature. */
const rejections: Record<Rejection['type'], StsErrorCode> = {
  MissingAuthenticationToken: 'MissingAuthenticationToken',
  IncompleteSignature: 'IncompleteSignature',
  UnrecognizedClient: 'InvalidClientTokenId',
  InvalidSignature: 'SignatureDoesNotMatch',
  ExpiredToken: 'ExpiredToken',
}

export const rejectedSignature = ({ type, message }: Rejection) => new StsError(rejections[type], message)
