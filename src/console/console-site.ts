import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { CallsPerAddress } from '../http/calls-per-address.ts'
import { networkOf } from '../http/network-address.ts'
import { readBody } from '../http/read-body.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { StoreUnavailable } from '../store/store.ts'
import { hasSignature, ownOperations } from './authenticate.ts'
import { clearCookie, readCookie, setCookie } from './cookie.ts'
import { securityHeaders } from './headers.ts'
import type { BuiltFile, Pages, Unbuilt } from './pages.ts'
import { foreignRequest } from './same-origin.ts'
import type { ConsoleSession, ConsoleSessions, Proof } from './sessions.ts'
import { reloadPath, reloadScript, unbuiltPage } from './unbuilt-page.ts'

/** A proof has a few hundred bytes. */
const bodyBytesMax = 4_096
/** Attempts to sign in by one address in a minute. */
const attemptsPerMinute = 20

interface SiteParts {
  sessions: ConsoleSessions
  pages: Pages
  /** Serves calls of the operations, signed or with the cookie. */
  api: RequestListener
  /** Accepts the WebSockets of pages. */
  live(request: IncomingMessage, stream: Duplex, head: Buffer): void
  /** Accepts messaging sessions. */
  connect(request: IncomingMessage, stream: Duplex, head: Buffer): void
  clock: Pick<Clock, 'now'>
  log: Pick<Log, 'debug' | 'error' | 'warn'>
}

interface Reply {
  status: number
  body?: object
  cookie?: string
  headers?: Record<string, string>
}

const failed = (status: number, message: string): Reply => ({ status, body: { message } })
const notSignedIn = failed(
  401,
  'There is no session: open the link that the server prints, or sign in with an access key',
)
const wrongProof = failed(
  401,
  'The link was used or is older than 10 minutes, or the access key is not one of an operator',
)

type Handle = (request: IncomingMessage) => Promise<Reply>

/** The console on the admin port: its pages, its sessions, and the operations for both. */
export class ConsoleSite {
  readonly #parts: SiteParts
  readonly #attempts = new CallsPerAddress(attemptsPerMinute)
  readonly #routes: Record<string, Handle> = {
    'POST /console/sign-in': (request) => this.#signIn(request),
    'GET /console/session': (request) => this.#session(request),
    'POST /console/sign-out': (request) => this.#signOut(request),
  }

  constructor(parts: SiteParts) {
    this.#parts = parts
  }

  /** The caller has checked the Host header. */
  serve(request: IncomingMessage, response: ServerResponse): void {
    for (const [name, value] of Object.entries(securityHeaders(request.headers.host ?? ''))) {
      response.setHeader(name, value)
    }
    const path = pathOf(request)
    const handle = this.#routes[`${request.method} ${path}`]
    if (handle) void this.#reply(handle, request, response)
    else if (isForPage(request, path)) void this.#page(path, request, response)
    else {
      response.setHeader('cache-control', 'no-store')
      this.#parts.api(request, response)
    }
  }

  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    if (pathOf(request) === '/console/live') this.#parts.live(request, stream, head)
    else this.#parts.connect(request, stream, head)
  }

  async #reply(handle: Handle, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { log } = this.#parts
    response.on('error', (err) => log.debug({ err }, 'sending a response of the console failed'))
    const { status, body, cookie, headers } = await this.#guarded(handle, request).catch((err: unknown) => {
      if (err instanceof StoreUnavailable) {
        log.warn({ reason: err.message }, 'a call of the console was rejected: service unavailable')
        return failed(503, 'The server is busy; try again')
      }
      log.error({ err }, 'a call of the console failed')
      return failed(500, 'The call failed inside the server, whose log has the reason')
    })
    const text = body === undefined ? '' : JSON.stringify(body)
    response.writeHead(status, {
      'cache-control': 'no-store',
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
      ...(cookie !== undefined && { 'set-cookie': cookie }),
      ...headers,
    })
    response.end(text)
  }

  async #guarded(handle: Handle, request: IncomingMessage): Promise<Reply> {
    const problem = foreignRequest(request)
    return problem === undefined ? handle(request) : failed(403, problem)
  }

  async #signIn(request: IncomingMessage): Promise<Reply> {
    const { clock, sessions, log } = this.#parts
    const { remoteAddress = '' } = request.socket
    const retryAfter = this.#attempts.count(networkOf(remoteAddress), clock.now())
    if (retryAfter !== undefined) {
      const headers = { 'retry-after': String(retryAfter) }
      return { ...failed(429, `Too many attempts to sign in: try again in ${retryAfter} s`), headers }
    }
    const proof = proofIn(await readBody(request, bodyBytesMax))
    if (!proof) return failed(400, 'The body must have a token, or an accessKeyId and a secretAccessKey')
    const begun = await sessions.begin(proof, remoteAddress)
    if (!begun) {
      log.warn({ address: remoteAddress }, 'console: sign-in rejected')
      return wrongProof
    }
    return { status: 200, body: sessionToWire(begun.session), cookie: setCookie(request.headers, begun.cookie) }
  }

  async #session({ headers }: IncomingMessage): Promise<Reply> {
    const session = await this.#parts.sessions.find(readCookie(headers))
    return session ? { status: 200, body: sessionToWire(session) } : notSignedIn
  }

  async #signOut({ headers, socket }: IncomingMessage): Promise<Reply> {
    const { sessions } = this.#parts
    const session = await sessions.find(readCookie(headers))
    if (session) await sessions.end(session, socket.remoteAddress)
    return { status: 204, cookie: clearCookie(headers) }
  }

  async #page(path: string, { headers, method }: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pages, log } = this.#parts
    response.on('error', (err) => log.debug({ err }, 'sending a page of the console failed'))
    const isFile = isFilePath(path)
    const finding = path === reloadPath ? Promise.resolve(reloadScript) : pages.find(isFile ? path : '/index.html')
    const found = await finding.catch((err: unknown) => {
      log.error({ err }, 'the pages of the console could not be read')
      return 'failed' as const
    })
    const file = isFile && typeof found === 'string' ? undefined : found
    const takesBrotli = /\bbr\b/.test(headers['accept-encoding']?.toString() ?? '')
    const { status, head, body } = file === undefined ? notFound : pageOf(file, takesBrotli)
    response.writeHead(status, { ...head, 'content-length': Buffer.byteLength(body) })
    response.end(method === 'HEAD' ? undefined : body)
  }
}

const notFound = {
  status: 404,
  head: { 'cache-control': 'no-store', 'content-type': 'text/plain' },
  body: 'Not found\n',
}

function pageOf(file: BuiltFile | Unbuilt, takesBrotli: boolean) {
  if (typeof file === 'string') {
    const head = { 'cache-control': 'no-store', 'content-type': 'text/html; charset=utf-8' }
    return { status: 503, head, body: unbuiltPage(file) }
  }
  const brotli = takesBrotli ? file.brotli : undefined
  const head = {
    'cache-control': file.isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
    'content-type': file.type,
    vary: 'accept-encoding',
    ...(brotli && { 'content-encoding': 'br' }),
  }
  return { status: 200, head, body: brotli ?? file.body }
}

/** Other paths are those of pages: the name of a function, which may be a part of them, may have a dot. */
const isFilePath = (path: string) =>
  path.startsWith('/assets/') || /\.(?:br|css|html|ico|js|json|map|png|svg|txt|woff2)$/.test(path)

const pathOf = ({ url = '' }: IncomingMessage): string => url.split('?', 1)[0] ?? ''

function isForPage({ method, url = '', headers }: IncomingMessage, path: string): boolean {
  if (method !== 'GET' && method !== 'HEAD') return false
  return !path.startsWith(ownOperations) && !hasSignature(headers, url)
}

const sessionToWire = ({ role, appInstanceArn, name, expiresAtMs }: ConsoleSession) => ({
  role,
  appInstanceArn,
  name,
  expiresAt: new Date(expiresAtMs).toISOString(),
})

function proofIn(body: Buffer | string): Proof | undefined {
  if (typeof body === 'string') return undefined
  try {
    const { token, accessKeyId, secretAccessKey } = JSON.parse(body.toString()) as Record<string, unknown>
    if (typeof token === 'string') return { token }
    if (typeof accessKeyId === 'string' && typeof secretAccessKey === 'string') return { accessKeyId, secretAccessKey }
  } catch {
    // Not JSON, or not an object.
  }
  return undefined
}
