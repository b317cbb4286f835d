import type { IncomingHttpHeaders } from 'node:http'
import { ApiError } from '../contract/api-error.ts'
import { missingAuthenticationToken, type Verified } from '../signature/rejection.ts'
import type { SignedRequest } from '../signature/verify-request.ts'
import { readCookie } from './cookie.ts'
import { foreignRequest } from './same-origin.ts'
import type { ConsoleSessions } from './sessions.ts'

/** The path of the server's own operations begins with it. */
export const ownOperations = '/carillon/'

/** Whether the call has a signature, in its headers or its query. An SDK signs its calls; a browser that opens a page cannot. */
export const hasSignature = (headers: IncomingHttpHeaders, target: string): boolean =>
  headers.authorization !== undefined || /[?&]X-Amz-/i.test(target)

/**
 * Who makes a call on the admin port: its signature says that, or, for the server's own operations, the cookie of the
 * console. AWS's operations never accept the cookie. Throws an ApiError if the cookie is none, or another page sent it.
 */
export function authenticateWith(
  sessions: Pick<ConsoleSessions, 'find'>,
  verifySignature: (request: SignedRequest) => Promise<Verified>,
): (request: SignedRequest) => Promise<Verified> {
  return async (request) => {
    const { method, target, headers } = request
    if (hasSignature(headers, target)) return verifySignature(request)
    if (!target.startsWith(ownOperations)) return { ok: false, rejection: missingAuthenticationToken }
    const problem = foreignRequest({ method, headers })
    if (problem !== undefined) throw new ApiError('Forbidden', `The call is not one of the console: ${problem}`)
    const session = await sessions.find(readCookie(headers))
    if (!session) throw new ApiError('Unauthorized', 'There is no session: sign in')
    return { ok: true, credentials: session.key }
  }
}
