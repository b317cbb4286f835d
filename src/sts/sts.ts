import type { Key } from '../keys/key.ts'
import type { Verified } from '../signature/rejection.ts'
import type { SignedRequest } from '../signature/verify-request.ts'
import { AssumeRole } from './assume-role.ts'
import { AssumeRoleWithWebIdentity } from './assume-role-with-web-identity.ts'
import type { Action, Origin, StsParts } from './context.ts'
import { readForm } from './form.ts'
import { GetCallerIdentity } from './get-caller-identity.ts'
import { rejectedSignature, StsError } from './sts-error.ts'
import { Overloaded } from './unsigned-calls.ts'
import { errorXml, type Members, responseXml } from './xml.ts'

const actions: ReadonlyMap<string, Action> = new Map(
  Object.entries({ AssumeRole, AssumeRoleWithWebIdentity, GetCallerIdentity }),
)

const version = '2011-06-15'

/** A web identity token has at most 20,000 characters; nothing else is long. */
const bodyBytesMax = 64 * 1024

interface Parts extends StsParts {
  /** By a signature for the service `sts`. */
  authenticate(request: SignedRequest): Promise<Verified>
  /** Whether the server accepts calls: neither before it is ready nor while it stops. */
  isReady(): boolean
  /** Whether the error means that the server cannot do the call now. */
  isUnavailable(error: unknown): boolean
}

/** A response, and what the log says about the call. */
export interface StsResponse {
  status: number
  headers: Record<string, string>
  body: string
  /** Whether a signature by a key that is not suspended was verified. */
  isVerified: boolean
  facts: Facts
}

interface Facts {
  operation?: string
  code?: string
  rejection?: object
  /** The bug behind a 500. */
  err?: unknown
  /** Why the service is unavailable. */
  reason?: string
  /** The code that rejected the call for overload has logged that. */
  overloaded?: true
}

/** Serves AWS's Security Token Service in its own protocol: a form in, XML out. It never rejects. */
export function createSts(parts: Parts): (request: SignedRequest, origin: Origin) => Promise<StsResponse> {
  return async (request, origin) => {
    const { requestId } = origin
    const call = new Call(parts, request, origin)
    const { facts } = call
    try {
      const result = await call.act()
      return { ...xml(200, responseXml(facts.operation!, result, requestId)), isVerified: call.isVerified, facts }
    } catch (error) {
      const failure = failureOf(error, parts, requestId, facts)
      return { ...xml(failure.status, errorXml(failure, requestId)), isVerified: call.isVerified, facts }
    }
  }
}

class Call {
  readonly facts: Facts = {}
  readonly origin: Origin
  isVerified = false
  readonly #parts: Parts
  readonly #request: SignedRequest

  constructor(parts: Parts, request: SignedRequest, origin: Origin) {
    this.origin = origin
    this.#parts = parts
    this.#request = request
  }

  async act(): Promise<Members> {
    const { body } = this.#request
    if (body.length > bodyBytesMax) {
      throw new StsError('RequestEntityTooLarge', `The request body must have at most ${bodyBytesMax} bytes`)
    }
    const form = readForm(body)
    const name = form.get('Action') ?? ''
    const action = form.get('Version') === version ? actions.get(name) : undefined
    if (!action) {
      throw new StsError('InvalidAction', `Action must be one of ${[...actions.keys()]}, and Version ${version}`)
    }
    this.facts.operation = name
    if (!this.#parts.isReady())
      throw new StsError('ServiceUnavailable', 'The server is starting or stopping; try again')
    return action(form, this.#parts, this)
  }

  async authenticate(): Promise<Key> {
    const verified = await this.#parts.authenticate(this.#request)
    if (!verified.ok) {
      this.facts.rejection = verified.rejection.detail
      throw rejectedSignature(verified.rejection)
    }
    if (verified.credentials.suspended) throw new StsError('InvalidClientTokenId', 'The access key is suspended')
    this.isVerified = true
    return verified.credentials
  }
}

function failureOf(error: unknown, { isUnavailable }: Parts, requestId: string, facts: Facts): StsError {
  const failure = stsErrorOf(error, isUnavailable, requestId)
  facts.code = failure.code
  if (error instanceof Overloaded) facts.overloaded = true
  if (failure.status === 503) facts.reason = error instanceof Error ? error.message : String(error)
  else if (failure.status >= 500) facts.err = error
  return failure
}

function stsErrorOf(error: unknown, isUnavailable: Parts['isUnavailable'], requestId: string): StsError {
  if (error instanceof StsError) return error
  if (isUnavailable(error)) return new StsError('ServiceUnavailable', 'The server is busy; try again')
  return new StsError(
    'InternalFailure',
    `The call failed inside the server, whose log has the reason under the request id ${requestId}`,
  )
}

const xml = (status: number, body: string) => ({
  status,
  headers: { 'content-type': 'text/xml', ...(status === 503 && { 'retry-after': '1' }) },
  body,
})
