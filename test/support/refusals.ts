import assert from 'node:assert/strict'

/** The classes of the SDKs' exceptions and their statuses, by the `Code` of the body. */
const errors = {
  BadRequest: { type: 'BadRequestException', status: 400 },
  ResourceLimitExceeded: { type: 'ResourceLimitExceededException', status: 400 },
  Unauthorized: { type: 'UnauthorizedClientException', status: 401 },
  Forbidden: { type: 'ForbiddenException', status: 403 },
  NotFound: { type: 'NotFoundException', status: 404 },
  Conflict: { type: 'ConflictException', status: 409 },
  Throttled: { type: 'ThrottledClientException', status: 429 },
  ServiceFailure: { type: 'ServiceFailureException', status: 500 },
  ServiceUnavailable: { type: 'ServiceUnavailableException', status: 503 },
}
type Code = keyof typeof errors

export const noAccess = 'You do not have sufficient access to perform this action'
export const invalidBearer = 'An invalid app instance user ARN was supplied for the x-amz-chime-bearer HTTP header.'
export const invalidUser = 'An invalid app instance user ARN was supplied for the input parameter.'

export const violation = (member: string, constraint: string) =>
  `1 validation error detected: Value at '${member}' failed to satisfy constraint: Member must ${constraint}`

interface SdkError extends Error {
  Code?: string
  $metadata?: { httpStatusCode?: number }
  $response?: { headers: Record<string, string> }
}

/** Asserts that the SDK throws the exception of this code, with this text if one is given, and with Retry-After. */
export async function assertRefused(call: Promise<unknown>, code: Code, text?: string | RegExp): Promise<void> {
  const error: SdkError = await call.then(
    () => assert.fail(`the call was accepted instead of being refused as ${code}`),
    (reason) => reason,
  )
  const { type, status } = errors[code]
  assert.deepEqual(
    { name: error.name, Code: error.Code, status: error.$metadata?.httpStatusCode },
    { name: type, Code: code, status },
    error.message,
  )
  const comesBack = code === 'Throttled' || code === 'ServiceUnavailable'
  assert.equal(error.$response?.headers['retry-after'], comesBack ? '1' : undefined)
  if (text instanceof RegExp) assert.match(error.message, text)
  else if (text !== undefined) assert.equal(error.message, text)
}

/** `accepted`, or the error Code of a rejected call. */
export const outcomeOf = (call: Promise<unknown>): Promise<'accepted' | Code> =>
  call.then(
    () => 'accepted',
    (error: SdkError) => (error.Code ?? error.name) as Code,
  )
