import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** One event on its way to a child process. */
export interface RuntimeInvocation {
  awsRequestId: string
  /** Milliseconds since the epoch. */
  deadlineMs: number
  functionArn: string
  traceId: string
  /** The event, as JSON. */
  body: string
}

/** What a child process has to say. It is heard by the FunctionChild that stands for it. */
export interface RuntimeListener {
  /** Its bootstrap runs, and is about to import the function's file. This is no call of Lambda's own. */
  started(): void
  /** It is free, and waits for `answer`. */
  next(answer: (invocation: RuntimeInvocation) => void): void
  /** It has done what it was given, and failed if there is a `failure`. Answers false when it was not given that. */
  ended(awsRequestId: string, failure?: string): boolean
  /** It could not load its function, or broke while it had nothing to do. */
  broke(failure: string): void
}

/** What Lambda accepts as a function's answer ("Lambda quotas"). It is read and thrown away. */
const bodyBytesMax = 6 * 1024 * 1024
const failureLengthMax = 1000

/**
 * The Lambda Runtime API ("Using the Lambda runtime API for custom runtimes" in AWS's developer guide) for any number of
 * child processes. Each has a path of its own, which starts with a token that it alone knows, so that none can touch
 * what another was given. On the loopback interface only.
 */
export class RuntimeApi {
  #listeners = new Map<string, RuntimeListener>()
  // A request that breaks off concerns its child alone.
  #server = createServer((request, response) => this.#serve(request, response).catch(() => response.destroy()))
  #listening: Promise<unknown> | undefined

  constructor() {
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
    this.#listeners.set(token, listener)
  }

  unregister(token: string): void {
    this.#listeners.delete(token)
  }

  async close(): Promise<void> {
    if (!this.#listening) return
    await this.#listening
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const [, token = '', call] = /^\/([^/]+)\/2018-06-01\/runtime\/(.+)$/.exec(request.url ?? '') ?? []
    const listener = this.#listeners.get(token)
    if (!listener) return answer(response, 403, 'Forbidden')
    if (request.method === 'GET' && call === 'invocation/next') {
      return listener.next((invocation) => give(response, invocation))
    }
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
    const known = listener.ended(id, outcome === 'error' ? errorTypeOf(body) : undefined)
    answer(response, known ? 202 : 400, known ? undefined : 'InvalidRequestID')
  }
}

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

/** The body as text, or undefined when it is too long. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request) {
    bytes += chunk.length
    if (bytes <= bodyBytesMax) chunks.push(chunk)
  }
  return bytes > bodyBytesMax ? undefined : Buffer.concat(chunks).toString()
}

/**
 * Only the type of an error is kept where a message was in hand: the error's own message may quote the text. The function's
 * output has both.
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
