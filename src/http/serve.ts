import type { IncomingHttpHeaders, IncomingMessage, RequestListener, ServerOptions, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Compile, type Validator } from 'typebox/compile'
import { ApiError, badRequest, Overloaded } from '../contract/api-error.ts'
import type { Operation, OperationFacts } from '../contract/operation.ts'
import { describeViolations, violationsOf } from '../contract/violations.ts'
import type { Key } from '../keys/key.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { splitTarget } from '../signature/canonical.ts'
import type { Verified } from '../signature/rejection.ts'
import type { SignedRequest } from '../signature/verify-request.ts'
import {
  apiFailure,
  notOneHost,
  type OutgoingResponse,
  page,
  preflight,
  rejected,
  send,
  success,
  tooLarge,
  unknownOperation,
} from './outgoing-response.ts'
import { readBody } from './read-body.ts'
import { createInputReader, type ReadInput, type RequestParts } from './read-input.ts'
import { headerBytesMax } from './reject-malformed.ts'
import { createRouter, type Route, type Router } from './router.ts'

/** For `createServer` of node:http and node:https alike. */
export const serverOptions = {
  maxHeaderSize: headerBytesMax,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  /** Load balancers usually close an idle connection after 60 s. This is longer, so that they close it first. */
  keepAliveTimeout: 75_000,
  /** Node would reject a request without Host by a bare status, which no SDK can read. */
  requireHostHeader: false,
  /** Node would drop a second Host or Authorization. Joined to the first, it is visible, and rejected. */
  joinDuplicateHeaders: true,
  /** Only sessions upgrade. An offer of HTTP/2 by an upgrade is ignored. */
  shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
} satisfies ServerOptions

export interface ListenerParts<Context> {
  operations: readonly Operation<Context>[]
  authenticate(request: SignedRequest): Promise<Verified>
  /** A signature by a key that is not suspended was verified on this connection. */
  onVerified(stream: Socket): void
  contextFor(call: AuthenticCall): Context
  /** Throws if this call is not allowed. Called before the input is validated. */
  gate(call: { operation: OperationFacts; credentials: Key; input: object }): void
  /** Rejects if the key does not permit this call. Called with the valid input, before any row is read. */
  authorize(call: { operation: OperationFacts; credentials: Key; input: object }): Promise<void> | undefined
  /** Converts an error that is neither an ApiError nor a bug. */
  translate?(error: unknown): ApiError | undefined
  /** Responds to a form that is posted to `/`, where clients call AWS's Security Token Service. It never rejects. */
  sts(request: SignedRequest, origin: { requestId: string; address: string | undefined }): Promise<StsResponse>
  /** Whether pages of any origin may call. The signature identifies the caller; a cookie would not. */
  isCrossOrigin: boolean
  /** The HTML page at `/`, for browsers. */
  page: string
  /** Whether the server is about to stop: then each response is the last one on its connection. */
  draining(): boolean
  /** For tests: an undeclared error, or an output that breaks its own schema, gets a 500 like any other bug. */
  strict?: boolean
  metrics: Pick<Metrics, 'beginRequest'>
  log: Log
  newId(): string
}

/** A response in the protocol of STS. */
interface StsResponse extends OutgoingResponse {
  /** Whether a signature by a key that is not suspended was verified. */
  isVerified: boolean
  facts: Partial<Entry>
}

/** A call with a verified signature. */
export interface AuthenticCall {
  operation: OperationFacts
  credentials: Key
  requestId: string
  /** The address at the other end of the connection: behind a proxy, that of the proxy. */
  address: string | undefined
  /** The SDKs give a call and its retries the same id. */
  invocationId: string | undefined
  /** The Host header: how the caller reaches this port. */
  host: string | undefined
}

type Caller = Pick<AuthenticCall, 'credentials' | 'address' | 'host'>

/** The fields of the log line about one request. */
interface Entry {
  requestId: string
  method: string
  path: string
  operation?: string
  /** The message of the call. */
  messageId?: string
  status?: number
  /** Why the signature was rejected. */
  rejection?: object
  /** The error code of the response. */
  code?: string
  /** The bug behind a 500. */
  err?: unknown
  /** Why the service is unavailable. */
  reason?: string
  /** The call was rejected for overload. The code that rejected it has logged that. */
  overloaded?: true
}

/** Serves calls of the API. No input of a caller makes it throw. */
export function createListener<Context>(parts: ListenerParts<Context>): RequestListener {
  const calls = new Calls(parts)
  return (request, response) => void calls.serve(request, response)
}

class Calls<Context> {
  readonly #parts: ListenerParts<Context>
  readonly #route: Router<Context>
  readonly #readers: Map<Operation<Context>, ReadInput>
  /** In strict mode only, each at the first call: to compile one takes 0.8 ms. */
  readonly #outputValidators = new Map<Operation<Context>, Validator>()

  constructor(parts: ListenerParts<Context>) {
    this.#parts = parts
    this.#route = createRouter(parts.operations)
    this.#readers = new Map(parts.operations.map((operation) => [operation, createInputReader(operation)]))
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The connection was evicted, and its last response is being sent: a call without a response must not be carried
    // out.
    if (request.socket.writableEnded) return
    const { newId, draining, log, metrics } = this.#parts
    const countResponse = metrics.beginRequest()
    const { method = '' } = request
    const target = targetOf(request)
    const entry: Entry = { requestId: newId(), method, path: splitTarget(target).path }
    response.on('error', (err) => log.debug({ ...entry, err }, 'sending the response failed'))
    const outgoing = await this.#responseTo(request, target, entry).catch((error) => this.#failure(error, entry))
    countResponse(entry.operation, outgoing?.status ?? 'aborted')
    if (!outgoing) return log.debug(entry, 'request aborted by the caller')
    const { isCrossOrigin } = this.#parts
    send(response, outgoing, { requestId: entry.requestId, lastOnConnection: draining(), isCrossOrigin })
    entry.status = outgoing.status
    this.#log(entry, outgoing.status)
  }

  /** Undefined if the caller aborted. The order of the checks is part of the API: AWS's callers rely on it. */
  async #responseTo(request: IncomingMessage, target: string, entry: Entry): Promise<OutgoingResponse | undefined> {
    const { method = '', headers } = request
    const body = await readBody(request)
    if (body === 'aborted') return undefined
    if (!hasOneHost(request)) return notOneHost
    if (method === 'OPTIONS' && this.#parts.isCrossOrigin) return preflight(headers)
    if ((method === 'GET' || method === 'HEAD') && entry.path === '/') return page(this.#parts.page)
    if (method === 'POST' && entry.path === '/' && isForm(headers)) {
      return body === 'too large' ? tooLarge : this.#sts(request, { method, target, headers, body }, entry)
    }
    const route = this.#route(method, target)
    if (!route) return unknownOperation(method, target)
    entry.operation = route.operation.name
    if (body === 'too large') return tooLarge
    const verified = await this.#parts.authenticate({ method, target, headers, body })
    if (!verified.ok) {
      entry.rejection = verified.rejection.detail
      return rejected(verified.rejection)
    }
    if (!verified.credentials.suspended) this.#parts.onVerified(request.socket)
    const { credentials, bearer } = verified
    const signed = bearer === undefined ? headers : { ...headers, 'x-amz-chime-bearer': bearer }
    return this.#call(
      route,
      { ...route, headers: signed, body },
      { credentials, address: request.socket.remoteAddress, host: headers.host },
      entry,
    )
  }

  async #sts({ socket }: IncomingMessage, signed: SignedRequest, entry: Entry): Promise<OutgoingResponse> {
    const { isVerified, facts, ...outgoing } = await this.#parts.sts(signed, {
      requestId: entry.requestId,
      address: socket.remoteAddress,
    })
    if (isVerified) this.#parts.onVerified(socket)
    Object.assign(entry, facts)
    return outgoing
  }

  async #call({ operation }: Route<Context>, parts: RequestParts, caller: Caller, entry: Entry) {
    const { credentials } = caller
    const input = this.#readers.get(operation)!(parts)
    this.#parts.gate({ operation, credentials, input })
    const invocationId = parts.headers['amz-sdk-invocation-id']?.toString()
    const context = this.#parts.contextFor({ ...caller, operation, requestId: entry.requestId, invocationId })
    if (!operation.inputValidator.Check(input)) {
      const violations = violationsOf(operation.inputValidator, input)
      await operation.onInvalid?.(input, context, violations)
      throw badRequest(describeViolations(violations))
    }
    const authorizing = this.#parts.authorize({ operation, credentials, input })
    if (authorizing) await authorizing
    noteMessage(entry, input)
    const output = await operation
      .invoke(input, context)
      .catch((error) => this.#rejectUndeclared(operation, error, entry))
    noteMessage(entry, output)
    if (this.#parts.strict) assertOutput(operation, this.#outputValidatorOf(operation), output)
    return success(operation.status, output)
  }

  #outputValidatorOf(operation: Operation<Context>): Validator {
    const compiled = this.#outputValidators.get(operation) ?? Compile(operation.output)
    this.#outputValidators.set(operation, compiled)
    return compiled
  }

  /**
   * Throws the error; in strict mode an undeclared one becomes a bug: SDKs know only the declared errors of an
   * operation.
   */
  #rejectUndeclared(operation: Operation<Context>, error: unknown, entry: Entry): never {
    const apiError = this.#apiError(error)
    const declared: readonly string[] = operation.errors
    if (!apiError || declared.includes(apiError.code)) throw error
    const problem = `${operation.name} returns ${apiError.code}, which it does not declare`
    if (this.#parts.strict) throw new Error(problem, { cause: error })
    this.#parts.log.warn(entry, problem)
    throw error
  }

  #failure(error: unknown, entry: Entry): OutgoingResponse {
    const bug = `The call failed inside the server, whose log has the reason under the request id ${entry.requestId}`
    const apiError = this.#apiError(error) ?? new ApiError('ServiceFailure', bug)
    entry.code = apiError.code
    if (error instanceof Overloaded) entry.overloaded = true
    if (apiError.status === 503) entry.reason = error instanceof Error ? error.message : String(error)
    else if (apiError.status >= 500) entry.err = error
    return apiFailure(apiError)
  }

  #apiError(error: unknown): ApiError | undefined {
    return error instanceof ApiError ? error : this.#parts.translate?.(error)
  }

  #log(entry: Entry, status: number): void {
    const { log } = this.#parts
    if (status === 503 && !entry.overloaded) log.warn(entry, 'request rejected: service unavailable')
    else if (status >= 500 && status !== 503) log.error(entry, 'request failed')
    else if (entry.rejection) log.info(entry, 'request rejected: signature')
    else log.debug(entry, 'request completed')
  }
}

const isForm = (headers: IncomingHttpHeaders) =>
  headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true

/** As HTTP demands (RFC 9112, section 3.2). Two are joined by a comma, which no host has. */
const hasOneHost = ({ httpVersion, headers: { host } }: IncomingMessage) =>
  host === undefined ? httpVersion === '1.0' : !host.includes(',')

/**
 * Path and query. A server must also accept the absolute form, which clients with a proxy setting send (RFC 9112,
 * section 3.2.2), but only with the host of the Host header: the signature covers no other.
 */
function targetOf({ url = '', headers: { host } }: IncomingMessage): string {
  if (url.startsWith('/')) return url
  const [, authority, rest = ''] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? []
  if (authority === undefined || authority.toLowerCase() !== host?.toLowerCase()) return url
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** `values`: the valid input of the call, or its output. */
function noteMessage(entry: Entry, values: { MessageId?: unknown; ChannelMessage?: { MessageId?: unknown } }): void {
  const messageId = values.MessageId ?? values.ChannelMessage?.MessageId
  if (typeof messageId === 'string') entry.messageId = messageId
}

function assertOutput({ name }: Operation<never>, outputValidator: Validator, output: object): void {
  const sent = JSON.parse(JSON.stringify(output))
  if (outputValidator.Check(sent)) return
  throw new Error(`${name} breaks the schema of its output: ${describeViolations(violationsOf(outputValidator, sent))}`)
}
