import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { listen, stopListening } from '../runtime/listening.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Readiness } from './readiness.ts'

/** Enough for health checks, a scrape and an operator. Further connections are rejected. */
const connectionsMax = 100

const limits = { headersTimeout: 5_000, requestTimeout: 5_000, connectionsCheckingInterval: 1_000, maxHeaderSize: 8192 }

interface Page {
  status: number
  type: string
  body: string
}

interface AdminParts {
  readiness: Readiness
  metrics: Metrics
  log: Log
}

const text = (status: number, body: string): Page => ({ status, type: 'text/plain; charset=utf-8', body: `${body}\n` })

/**
 * The server on the admin port, for operators: liveness, readiness and metrics. It is unauthenticated, so by default it
 * listens on this machine only. It shows numbers and names of processors, never content.
 */
export class AdminServer {
  readonly #server: Server
  readonly #pages: Record<string, () => Page | Promise<Page>>
  readonly #log: Log

  constructor({ readiness, metrics, log }: AdminParts) {
    this.#log = log
    this.#pages = {
      '/livez': () => text(200, 'ok'),
      '/readyz': async () => {
        const report = await readiness.report()
        return { status: report.ready ? 200 : 503, type: 'application/json', body: `${JSON.stringify(report)}\n` }
      },
      '/metrics': async () => ({ status: 200, type: metrics.contentType, body: await metrics.text() }),
    }
    this.#server = createServer(limits, (request, response) => void this.#serve(request, response))
    this.#server.maxConnections = connectionsMax
  }

  /** Returns the port. */
  listen(host: string, port: number): Promise<number> {
    return listen(this.#server, host, port)
  }

  close(): Promise<void> {
    return stopListening(this.#server)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const page = await this.#page(request).catch((err: unknown) => {
      this.#log.error({ err, path: request.url }, 'request to the admin port failed')
      return text(500, 'The request failed inside the server; its log has the reason')
    })
    response.on('error', (err) => this.#log.debug({ err }, 'sending a response of the admin port failed'))
    response.writeHead(page.status, {
      'content-type': page.type,
      'content-length': Buffer.byteLength(page.body),
      'cache-control': 'no-store',
      ...(page.status === 405 && { allow: 'GET, HEAD' }),
    })
    // Node sends only the headers of a response to HEAD.
    response.end(page.body)
  }

  async #page({ method, url = '' }: IncomingMessage): Promise<Page> {
    const path = url.split('?', 1)[0] ?? ''
    if (!Object.hasOwn(this.#pages, path)) {
      return text(404, `There is no such page; the pages are ${Object.keys(this.#pages).join(', ')}`)
    }
    if (method !== 'GET' && method !== 'HEAD') return text(405, 'This page is read-only: use GET or HEAD')
    return this.#pages[path]!()
  }
}
