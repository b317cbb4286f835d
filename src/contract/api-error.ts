/**
 * The nine errors that both services declare, with their HTTP status and the `Code` of the body (AWS's API references of
 * Amazon Chime SDK messaging and identity, "Errors").
 */
const declared = {
  BadRequest: { status: 400, type: 'BadRequestException' },
  ResourceLimitExceeded: { status: 400, type: 'ResourceLimitExceededException' },
  Unauthorized: { status: 401, type: 'UnauthorizedClientException' },
  Forbidden: { status: 403, type: 'ForbiddenException' },
  NotFound: { status: 404, type: 'NotFoundException' },
  Conflict: { status: 409, type: 'ConflictException' },
  Throttled: { status: 429, type: 'ThrottledClientException' },
  ServiceFailure: { status: 500, type: 'ServiceFailureException' },
  ServiceUnavailable: { status: 503, type: 'ServiceUnavailableException' },
} as const

export type ErrorCode = keyof typeof declared

/** Any call may get it, and no operation declares it (AWS's page "Common Errors"). */
const undeclared = { AccessDenied: { status: 403, type: 'AccessDeniedException' } } as const

const errors = { ...declared, ...undeclared }

/** Any operation may return these; each operation declares the others. */
export type CommonErrorCode = 'Unauthorized' | 'Throttled' | 'ServiceFailure' | 'ServiceUnavailable'

/** An error response. Anything else that is thrown is a bug and becomes ServiceFailure. */
export class ApiError extends Error {
  readonly code: keyof typeof errors

  constructor(code: keyof typeof errors, message: string) {
    super(message)
    this.code = code
  }

  get status(): number {
    return errors[this.code].status
  }

  /** The header x-amzn-ErrorType. The SDKs choose the class of their exception by it. */
  get type(): string {
    return errors[this.code].type
  }
}

/** The key does not permit the call. A Forbidden concerns the bearer. */
export const accessDenied = (message: string) => new ApiError('AccessDenied', message)

/**
 * The server accepts no more work of this kind for now, and has done nothing of the call. The code that throws it
 * counts and logs it, so that the log has no line for each call.
 */
export class Overloaded extends ApiError {
  constructor(message: string) {
    super('ServiceUnavailable', message)
  }
}

/** An unknown resource and a forbidden one look the same, so that callers cannot find out what exists. */
export const forbidden = () => new ApiError('Forbidden', 'You do not have sufficient access to perform this action')
export const badRequest = (message: string) => new ApiError('BadRequest', message)
export const conflict = (message: string) => new ApiError('Conflict', message)
export const notFound = (message: string) => new ApiError('NotFound', message)
