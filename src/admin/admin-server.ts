import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import { listen, stopListening } from '../runtime/listening.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { HostCheck } from './host-names.ts'
import type { Readiness } from './readiness.ts'

/** Enough for health checks, a scrape and some operators, each with several pages. Further connections are rejected. */
const connectionsMax = 256

const options = {
  headersTimeout: 5_000,
  requestTimeout: 5_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16_384,
  /** The check of the host says what is wrong. */
  requireHostHeader: false,
  /** Node would drop a second Host or Authorization. Joined to the first, it is visible, and rejected. */
  joinDuplicateHeaders: true,
}

interface Page {
  status: number
  type: string
  body: string
}

/** The console, or another site for people. */
interface Site {
  serve(request: IncomingMessage, response: ServerResponse): void
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void
}

interface Certificate {
  certificatePem: string
  privateKeyPem: string
}

type MakePage = () => Page | Promise<Page>

interface AdminParts {
  readiness: Readiness
  metrics: Metrics
  log: Log
  isKnownHost: HostCheck
  /** Undefined: there are no pages besides those for programs. */
  site?: Site | undefined
  tls?: boolean
}

const text = (status: number, body: string): Page => ({ status, type: 'text/plain; charset=utf-8', body: `${body}\n` })

const unknownHost = text(
  421,
  'This server is not known by that host name: use an address or localhost, or set --admin-names',
)
const unknown: MakePage = () => unknownHost

/**
 * The server on the admin port, for operators: liveness, readiness and metrics, and the console. The first three are
 * unauthenticated, so by default it listens on this machine only. They show numbers and names of processors, never
 * content.
 */
export class AdminServer {
  readonly #server: Server | TlsServer
  readonly #pages: Record<string, MakePage>
  readonly #log: Log
  readonly #isKnownHost: HostCheck
  readonly #site: Site | undefined

  constructor({ readiness, metrics, log, isKnownHost, site, tls = false }: AdminParts) {
    this.#log = log
    this.#isKnownHost = isKnownHost
    this.#site = site
    this.#pages = {
      '/livez': () => text(200, 'ok'),
      '/readyz': async () => {
        const report = await readiness.report()
        return { status: report.ready ? 200 : 503, type: 'application/json', body: `${JSON.stringify(report)}\n` }
      },
      '/metrics': async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() }),
    }
    this.#server = tls ? createTlsServer(options) : createServer(options)
    this.#server.maxConnections = connectionsMax
    this.#server.on('request', (request, response) => this.#serve(request, response))
    this.#server.on('upgrade', (request, stream, head) => this.#upgrade(request, stream, head))
  }

  /** Used from the next handshake on. */
  useCertificate({ certificatePem: cert, privateKeyPem: key }: Certificate): void {
    if ('setSecureContext' in this.#server) this.#server.setSecureContext({ cert, key })
  }

  /** Returns the port. */
  listen(host: string, port: number): Promise<number> {
    return listen(this.#server, host, port)
  }

  close(): Promise<void> {
    return stopListening(this.#server)
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const page = this.#isKnownHost(request) ? this.#pageAt(pathOf(request)) : unknown
    if (page || !this.#site) void this.#respond(request, page, response)
    else this.#site.serve(request, response)
  }

  #pageAt(path: string): MakePage | undefined {
    return Object.hasOwn(this.#pages, path) ? this.#pages[path] : undefined
  }

  #upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    stream.on('error', () => stream.destroy())
    if (this.#site && this.#isKnownHost(request)) this.#site.upgrade(request, stream, head)
    else refuse(stream)
  }

  async #respond(request: IncomingMessage, make: MakePage | undefined, response: ServerResponse) {
    const page = await this.#page(request, make).catch((err: unknown) => {
      this.#log.error({ err, path: request.url }, 'request to the admin port failed')
      return text(500, 'The request failed inside the server; its log has the reason')
    })
    response.on('error', (err) => this.#log.debug({ err }, 'sending a response of the admin port failed'))
    response.writeHead(page.status, {
      'content-type': page.type,
      'content-length': Buffer.byteLength(page.body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      ...(page.status === 405 && { allow: 'GET, HEAD' }),
    })
    // Node sends only the headers of a response to HEAD.
    response.end(page.body)
  }

  async #page({ method }: IncomingMessage, make: MakePage | undefined): Promise<Page> {
    if (!make) return text(404, `There is no such page; the pages are ${Object.keys(this.#pages).join(', ')}`)
    const isReading = method === 'GET' || method === 'HEAD'
    return isReading || make === unknown ? make() : text(405, 'This page is read-only: use GET or HEAD')
  }
}

function refuse(stream: Duplex): void {
  stream.once('finish', () => stream.destroy())
  stream.end('HTTP/1.1 421 Misdirected Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n')
}

const pathOf = ({ url = '' }: IncomingMessage): string => url.split('?', 1)[0] ?? ''
