import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { type ChannelReport, channelProtocol, failureLengthMax, type RuntimeInvocation } from './bootstrap-terms.ts'
import { RuntimeChannel } from './runtime-channel.ts'

/** The reports of a child process, for its FunctionChild. */
export interface RuntimeListener {
  /** Its bootstrap runs and will import the function's file. Lambda's Runtime API has no such call. */
  started(): void
  /** It is free, and waits for its next event: call `give`. */
  next(give: (invocation: RuntimeInvocation) => void): void
  /**
   * Its invocation has ended, with an error if there is a `failure`, else with this return value. Returns false if it did
   * not have this invocation.
   */
  ended(awsRequestId: string, failure?: string, returned?: unknown): boolean
  /** It failed to load its function, or crashed without an invocation. */
  broke(failure: string): void
}

/** Lambda's limit for the response of a function ("Lambda quotas"). */
const bodyBytesMax = 6 * 1024 * 1024
/** Limit for a report of the bootstrap. A longer one is discarded. */
const reportBytesMax = 65_536
/** A child has its channel, one connection for the report of its start, and one more to report an error. */
const connectionsPerChildMax = 4
/** Maximum of connections without a token. A further one replaces the oldest: a child sends its token at once. */
const strangersMax = 64

/** Time limits for headers and bodies. An idle connection, or one that waits for an event, has no limit. */
const slowRequests = { headersTimeout: 10_000, requestTimeout: 30_000, connectionsCheckingInterval: 5_000 }

interface Child {
  listener: RuntimeListener
  connections: Set<Socket>
  /** Where the request for the next event has come from, which waits. */
  waiting: Asker | undefined
}

/** A way to give a child its next event. */
interface Asker {
  readonly isOpen: boolean
  give(invocation: RuntimeInvocation): void
  close(): void
}

/**
 * The Lambda Runtime API ("Using the Lambda runtime API for custom runtimes" in AWS's developer guide) for any number
 * of child processes. The path of each child starts with its secret token, so that no child can access the invocations of
 * another one. It only listens on the loopback interface.
 *
 * The bootstrap gets its events over a channel instead, which `invocation/channel` opens: RuntimeChannel.
 */
export class RuntimeApi {
  #children = new Map<string, Child>()
  /** The oldest is first. */
  #strangers = new Set<Socket>()
  #server: Server
  #listening: Promise<unknown> | undefined

  constructor(timeouts = slowRequests) {
    this.#server = createServer(timeouts, (request, response) => {
      // A request that is aborted only concerns its own child.
      this.#serve(request, response).catch(() => response.destroy())
    })
    this.#server.on('connection', (socket) => this.#admit(socket))
    this.#server.on('upgrade', (request, stream, head) => this.#openChannel(request, stream, head))
    // A child whose handler has computed for long must find its connection as it was.
    this.#server.keepAliveTimeout = 0
  }

  /** The first call does it, the others wait for it. */
  listen(): Promise<unknown> {
    this.#listening ??= once(this.#server.listen(0, '127.0.0.1'), 'listening').catch((error: unknown) => {
      // The next call tries again: what was lacking, such as a free file descriptor, may be there by then.
      this.#listening = undefined
      throw error
    })
    return this.#listening
  }

  /** The AWS_LAMBDA_RUNTIME_API of the child that has this token. */
  addressFor(token: string): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}/${token}`
  }

  register(token: string, listener: RuntimeListener): void {
    this.#children.set(token, { listener, connections: new Set(), waiting: undefined })
  }

  unregister(token: string): void {
    const { connections = [] } = this.#children.get(token) ?? {}
    this.#children.delete(token)
    for (const socket of connections) socket.destroy()
  }

  async close(): Promise<void> {
    if (!this.#listening) return
    await this.#listening
    for (const token of this.#children.keys()) this.unregister(token)
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  #admit(socket: Socket): void {
    this.#strangers.add(socket)
    socket.once('close', () => this.#strangers.delete(socket))
    const [oldest] = this.#strangers
    if (this.#strangers.size > strangersMax) oldest?.destroy()
  }

  /** False if the connection was closed: it is one too many for the child, or another child's. */
  #belongsTo({ connections }: Child, socket: Socket): boolean {
    if (connections.has(socket)) return true
    if (!this.#strangers.delete(socket) || connections.size >= connectionsPerChildMax) {
      socket.destroy()
      return false
    }
    connections.add(socket)
    socket.once('close', () => connections.delete(socket))
    return true
  }

  #openChannel(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const { token, call } = calledBy(request)
    const child = this.#children.get(token)
    if (!child || call !== 'invocation/channel' || request.headers.upgrade !== channelProtocol) {
      stream.destroy()
      return
    }
    if (!this.#belongsTo(child, request.socket)) return
    const channel = new RuntimeChannel(request.socket, head, (report) => {
      reportEnd(child, report)
      // By then, what the function had printed before it sent the report is read and logged as that of its invocation.
      setImmediate(() => channel.isOpen && giveNext(child, channel))
    })
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { token, call } = calledBy(request)
    const child = this.#children.get(token)
    if (!child) return reject(response, 403, 'Forbidden')
    const { listener } = child
    if (!this.#belongsTo(child, request.socket)) return
    if (request.method === 'GET' && call === 'invocation/next') return giveNext(child, asker(response))
    const body = await readBody(request)
    if (body === undefined) return answer(response, 413, 'RequestEntityTooLarge')
    if (request.method === 'POST' && call === 'init/started') {
      answer(response, 202)
      return listener.started()
    }
    if (request.method === 'POST' && call === 'init/error') {
      answer(response, 202)
      return listener.broke(failureOf(body))
    }
    const [, id = '', outcome] = /^invocation\/([^/]+)\/(response|error)$/.exec(call ?? '') ?? []
    if (request.method !== 'POST' || !outcome) return answer(response, 404, 'NotFound')
    const known =
      outcome === 'error' ? listener.ended(id, errorTypeOf(body)) : listener.ended(id, undefined, returnedBy(body))
    answer(response, known ? 202 : 400, known ? undefined : 'InvalidRequestID')
  }
}

function calledBy({ url = '' }: IncomingMessage): { token: string; call: string | undefined } {
  const [, token = '', call] = /^\/([^/]+)\/2018-06-01\/runtime\/(.+)$/.exec(url) ?? []
  return { token, call }
}

/** A child that asks once more before it has the event is not the bootstrap: each request would wait for ever. */
function giveNext(child: Child, asker: Asker): void {
  if (child.waiting?.isOpen) {
    asker.close()
    return
  }
  child.waiting = asker
  child.listener.next((invocation) => {
    child.waiting = undefined
    asker.give(invocation)
  })
}

/** One that is not known is one that the function has reported itself. */
function reportEnd({ listener }: Child, { awsRequestId, errorType, returned }: ChannelReport): void {
  if (awsRequestId === undefined) return
  listener.ended(String(awsRequestId), errorType && String(errorType).slice(0, failureLengthMax), returned)
}

const asker = (response: ServerResponse): Asker => ({
  get isOpen() {
    return !response.writableEnded && !response.destroyed
  },
  give: (invocation) => give(response, invocation),
  close: () => response.socket?.destroy(),
})

function give(response: ServerResponse, invocation: RuntimeInvocation): void {
  response.writeHead(200, {
    'Content-Type': 'application/json',
    'Lambda-Runtime-Aws-Request-Id': invocation.awsRequestId,
    'Lambda-Runtime-Deadline-Ms': String(invocation.deadlineMs),
    'Lambda-Runtime-Invoked-Function-Arn': invocation.functionArn,
    'Lambda-Runtime-Trace-Id': invocation.traceId,
  })
  response.end(invocation.body)
}

function answer(response: ServerResponse, status: number, errorType?: string): void {
  response.writeHead(status, { 'Content-Type': 'application/json' })
  response.end(JSON.stringify(errorType ? { errorType, errorMessage: errorType } : { status: 'OK' }))
}

/** Rejects a connection that does not belong to a child. */
function reject(response: ServerResponse, status: number, errorType: string): void {
  response.setHeader('Connection', 'close')
  answer(response, status, errorType)
}

/** The body as text; '' if it is too long for a report; undefined if it is too long for a response. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes <= reportBytesMax) chunks.push(chunk)
    else chunks.length = 0
  }
  return bytes > bodyBytesMax ? undefined : Buffer.concat(chunks).toString()
}

/** Undefined if the body is no JSON. Most functions' return values do not matter. */
function returnedBy(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/**
 * Only the type of an error is kept if a message was in flight: the error's own message may quote the text. The
 * function's output has both.
 */
const errorTypeOf = (body: string) => describedError(body)?.errorType ?? undescribed

/** `SyntaxError: Unexpected token`, of a function that could not be loaded. */
function failureOf(body: string): string {
  const error = describedError(body)
  return error ? `${error.errorType}: ${error.errorMessage}`.slice(0, failureLengthMax) : undescribed
}

const undescribed = 'an error that is not described'

/** The JSON that a runtime reports an error with. */
function describedError(body: string): { errorType: string; errorMessage: string } | undefined {
  try {
    const { errorType, errorMessage } = JSON.parse(body)
    return { errorType: String(errorType).slice(0, failureLengthMax), errorMessage: String(errorMessage) }
  } catch {
    return undefined
  }
}
