import type { IncomingMessage, RequestListener, ServerOptions, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import { Compile, type Validator } from 'typebox/compile'
import { ApiError, badRequest, Overloaded } from '../contract/api-error.ts'
import type { Operation, OperationFacts } from '../contract/operation.ts'
import { describeViolations, violationsOf } from '../contract/violations.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { splitTarget } from '../signature/canonical.ts'
import type { Credentials } from '../signature/credentials.ts'
import type { Verified } from '../signature/refusal.ts'
import type { SignedRequest } from '../signature/verify-request.ts'
import {
  type Answer,
  apiFailure,
  notOneHost,
  page,
  preflight,
  refused,
  send,
  success,
  tooLarge,
  unknownOperation,
} from './answer.ts'
import { readBody } from './read-body.ts'
import { createInputReader, type ReadInput, type RequestParts } from './read-input.ts'
import { headerBytesMax } from './refuse-malformed.ts'
import { createRouter, type Route, type Router } from './router.ts'

/** For `createServer` of node:http and node:https alike. */
export const serverOptions = {
  maxHeaderSize: headerBytesMax,
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  /** Longer than the 60 s after which load balancers usually give up an idle connection, so that they do it first. */
  keepAliveTimeout: 75_000,
  /** Node would refuse it by a status alone, which no SDK can read. */
  requireHostHeader: false,
  /** Node would drop a second Host or Authorization. Joined to the first, it is seen, and refused. */
  joinDuplicateHeaders: true,
  /** Sessions alone upgrade. A client that offers HTTP/2 by an upgrade is answered as if it had not. */
  shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === 'websocket',
} satisfies ServerOptions

/** What the listener is made of. */
export interface ListenerParts<Context> {
  operations: readonly Operation<Context>[]
  authenticate(request: SignedRequest): Promise<Verified>
  /** A signature was verified on this connection, by a key that may do something. */
  onVerified(stream: Socket): void
  contextFor(call: AuthenticCall): Context
  /** Throws unless this call may go on. Asked before the input is validated. */
  gate(call: { operation: OperationFacts; credentials: Credentials; input: object }): void
  /** The answer to an error that is not an ApiError but no bug either. */
  translate?(error: unknown): ApiError | undefined
  /** HTML that a person sees who opens the address in a browser. */
  page: string
  /** Whether the server is about to stop: then each answer is the last one on its connection. */
  draining(): boolean
  /** For tests: an undeclared error or an output that breaks its own schema is answered as the bug that it is. */
  strict?: boolean
  metrics: Pick<Metrics, 'beginRequest'>
  log: Log
  newId(): string
}

/** A call whose signature is good. */
export interface AuthenticCall {
  operation: OperationFacts
  credentials: Credentials
  requestId: string
  /** What the SDKs give a call and its retries alike, if they do. */
  invocationId: string | undefined
}

/** What the log says about one request. */
interface Entry {
  requestId: string
  method: string
  path: string
  operation?: string
  /** The message that the call was about. */
  messageId?: string
  status?: number
  /** Why the signature was refused. */
  refusal?: object
  /** Why the call was not answered with success. */
  code?: string
  /** The bug behind a 500. */
  err?: unknown
  /** What the server lacks for now. */
  reason?: string
  /** The call was rejected for overload. The code that rejected it has logged that. */
  overloaded?: true
}

/** Answers calls of the API, each with its operation. Nothing that a caller sends makes it throw. */
export function createListener<Context>(parts: ListenerParts<Context>): RequestListener {
  const calls = new Calls(parts)
  return (request, response) => void calls.serve(request, response)
}

class Calls<Context> {
  readonly #parts: ListenerParts<Context>
  readonly #route: Router<Context>
  readonly #readers: Map<Operation<Context>, ReadInput>
  /** In strict mode alone: to compile one takes 0.8 ms. */
  readonly #outputValidators: Map<Operation<Context>, Validator>

  constructor(parts: ListenerParts<Context>) {
    this.#parts = parts
    this.#route = createRouter(parts.operations)
    this.#readers = new Map(parts.operations.map((operation) => [operation, createInputReader(operation)]))
    const checked = parts.strict ? parts.operations : []
    this.#outputValidators = new Map(checked.map((operation) => [operation, Compile(operation.output)]))
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // The connection was given up, and its last answer is on its way: a call must not be done whose answer gets nowhere.
    if (request.socket.writableEnded) return
    const { newId, draining, log, metrics } = this.#parts
    const answered = metrics.beginRequest()
    const { method = '' } = request
    const target = targetOf(request)
    const entry: Entry = { requestId: newId(), method, path: splitTarget(target).path }
    response.on('error', (err) => log.debug({ ...entry, err }, 'the answer could not be sent'))
    const answer = await this.#answer(request, target, entry).catch((error) => this.#failure(error, entry))
    answered(entry.operation, answer?.status ?? 'aborted')
    if (!answer) return log.debug(entry, 'the caller went away')
    send(response, answer, entry.requestId, draining())
    entry.status = answer.status
    this.#log(entry, answer.status)
  }

  /** Nothing if the caller went away. The order of the checks is part of the API: AWS's callers rely on it. */
  async #answer(request: IncomingMessage, target: string, entry: Entry): Promise<Answer | undefined> {
    const { method = '', headers } = request
    const body = await readBody(request)
    if (body === 'aborted') return undefined
    if (!hasOneHost(request)) return notOneHost
    if (method === 'OPTIONS') return preflight(headers)
    if ((method === 'GET' || method === 'HEAD') && entry.path === '/') return page(this.#parts.page)
    const route = this.#route(method, target)
    if (!route) return unknownOperation(method, target)
    entry.operation = route.operation.name
    if (body === 'too large') return tooLarge
    const verified = await this.#parts.authenticate({ method, target, headers, body })
    if (!verified.ok) {
      entry.refusal = verified.refusal.detail
      return refused(verified.refusal)
    }
    if (!verified.credentials.suspended) this.#parts.onVerified(request.socket)
    const { credentials, bearer } = verified
    const signed = bearer === undefined ? headers : { ...headers, 'x-amz-chime-bearer': bearer }
    return this.#call(route, { ...route, headers: signed, body }, credentials, entry)
  }

  async #call({ operation }: Route<Context>, parts: RequestParts, credentials: Credentials, entry: Entry) {
    const input = this.#readers.get(operation)!(parts)
    this.#parts.gate({ operation, credentials, input })
    const invocationId = parts.headers['amz-sdk-invocation-id']?.toString()
    const context = this.#parts.contextFor({ operation, credentials, requestId: entry.requestId, invocationId })
    if (!operation.inputValidator.Check(input)) {
      const violations = violationsOf(operation.inputValidator, input)
      await operation.onInvalid?.(input, context, violations)
      throw badRequest(describeViolations(violations))
    }
    noteMessage(entry, input)
    const output = await operation
      .invoke(input, context)
      .catch((error) => this.#refuseUndeclared(operation, error, entry))
    noteMessage(entry, output)
    const outputValidator = this.#outputValidators.get(operation)
    if (outputValidator) assertOutput(operation, outputValidator, output)
    return success(operation.status, output)
  }

  /** Throws the error, or in strict mode the bug that it is: SDKs know the declared errors of an operation alone. */
  #refuseUndeclared(operation: Operation<Context>, error: unknown, entry: Entry): never {
    const apiError = this.#apiError(error)
    if (!apiError || operation.errors.includes(apiError.code)) throw error
    const problem = `${operation.name} answers ${apiError.code}, which it does not declare`
    if (this.#parts.strict) throw new Error(problem, { cause: error })
    this.#parts.log.warn(entry, problem)
    throw error
  }

  #failure(error: unknown, entry: Entry): Answer {
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
    else if (entry.refusal) log.info(entry, 'the signature is refused')
    else log.debug(entry, 'answered')
  }
}

/** As HTTP demands (RFC 9112, section 3.2). Two are joined by a comma, which no host has. */
const hasOneHost = ({ httpVersion, headers: { host } }: IncomingMessage) =>
  host === undefined ? httpVersion === '1.0' : !host.includes(',')

/**
 * Path and query. A server must take the absolute form, too, which clients send that are set up for a proxy (RFC 9112,
 * section 3.2.2), but only with the host that the Host header names: the signature covers no other.
 */
function targetOf({ url = '', headers: { host } }: IncomingMessage): string {
  if (url.startsWith('/')) return url
  const [, authority, rest = ''] = /^https?:\/\/([^/?#]*)(.*)$/i.exec(url) ?? []
  if (authority === undefined || authority.toLowerCase() !== host?.toLowerCase()) return url
  return rest.startsWith('/') ? rest : `/${rest}`
}

/** `values`: what the call was given, once that is valid, or what it answers. */
function noteMessage(entry: Entry, values: { MessageId?: unknown; ChannelMessage?: { MessageId?: unknown } }): void {
  const messageId = values.MessageId ?? values.ChannelMessage?.MessageId
  if (typeof messageId === 'string') entry.messageId = messageId
}

function assertOutput({ name }: Operation<never>, outputValidator: Validator, output: object): void {
  const sent = JSON.parse(JSON.stringify(output))
  if (outputValidator.Check(sent)) return
  throw new Error(`${name} breaks the schema of its output: ${describeViolations(violationsOf(outputValidator, sent))}`)
}
