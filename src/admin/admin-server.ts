import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { listen, stopListening } from '../runtime/listening.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Readiness } from './readiness.ts'

/** Of health checks, a scrape and an operator who looks. More are turned away at the door. */
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
 * Answers whoever runs the server, on a port of its own: is it alive, can it work, what does it do. Nobody is asked who
 * they are, so it listens on this machine alone unless told otherwise. It tells numbers and names of processors, never
 * content.
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

  /** Answers the port. */
  listen(host: string, port: number): Promise<number> {
    return listen(this.#server, host, port)
  }

  close(): Promise<void> {
    return stopListening(this.#server)
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const page = await this.#page(request).catch((err: unknown) => {
      this.#log.error({ err, path: request.url }, 'the admin port could not answer')
      return text(500, 'This failed inside the server; its log has the reason')
    })
    response.on('error', (err) => this.#log.debug({ err }, 'the admin port could not send its answer'))
    response.writeHead(page.status, {
      'content-type': page.type,
      'content-length': Buffer.byteLength(page.body),
      'cache-control': 'no-store',
      ...(page.status === 405 && { allow: 'GET, HEAD' }),
    })
    // Of an answer to HEAD Node sends the headers alone.
    response.end(page.body)
  }

  async #page({ method, url = '' }: IncomingMessage): Promise<Page> {
    const path = url.split('?', 1)[0] ?? ''
    if (!Object.hasOwn(this.#pages, path)) {
      return text(404, `There is no such page here; there are ${Object.keys(this.#pages).join(', ')}`)
    }
    if (method !== 'GET' && method !== 'HEAD') return text(405, 'This is only read: use GET or HEAD')
    return this.#pages[path]!()
  }
}
