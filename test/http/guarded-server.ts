import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { ConnectionLimits } from '../../src/http/connection-limits.ts'
import { Connections } from '../../src/http/connections.ts'
import { serverOptions } from '../../src/http/serve.ts'
import type { ShortageKind } from '../../src/runtime/shortage.ts'
import { createAuthority, issueCertificate } from '../../src/tls/issue-certificate.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/until.ts'

export const signatureTimeoutMs = 5_000

interface Options {
  limits?: Partial<ConnectionLimits>
  tls?: boolean
  /** Before the response is sent. */
  verify?: () => Promise<void>
  response?: string
}

/** A client, and all that it has read. */
export interface Client {
  socket: Socket
  text: string
  closed: boolean
}

/** A server that takes `x-signed` for a verified signature, with limits on connections and a clock that stands still. */
export class GuardedServer {
  readonly clock = new ManualClock()
  readonly rejected: string[] = []
  readonly warnings: object[] = []
  readonly shortages: ShortageKind[] = []
  /** Requests whose response has left. */
  responded = 0
  readonly descriptors = { limit: 10_000, open: 100 }
  readonly connections: Connections
  readonly server: Server | HttpsServer
  readonly #context: TestContext
  readonly #tls: boolean

  constructor(
    context: TestContext,
    certificate: { cert: string; key: string },
    { limits, tls = false, verify, response: body = 'fine' }: Options,
  ) {
    this.#context = context
    this.#tls = tls
    this.connections = new Connections({
      limits: { all: 100, perAddress: 100, reserve: 10, ...limits },
      signatureTimeoutMs,
      descriptors: { limit: () => this.descriptors.limit, open: () => this.descriptors.open },
      metrics: { countConnectionRejection: (limit) => void this.rejected.push(limit) },
      shortages: { report: (kind) => void this.shortages.push(kind) },
      clock: this.clock,
      log: { warn: (fields) => void this.warnings.push(fields) },
      newId: () => 'request-1',
    })
    const listener: RequestListener = async (request, response) => {
      for await (const _ of request.on('error', () => {}));
      await verify?.()
      if (request.headers['x-signed']) this.connections.verified(request.socket)
      response.end(body)
    }
    // What a broken connection does to the listener is not looked at.
    const carefully: RequestListener = (request, response) =>
      void Promise.resolve(listener(request, response)).catch(() => {})
    this.server = tls
      ? createHttpsServer({ ...serverOptions, ...certificate }, carefully)
      : createServer(serverOptions, carefully)
    this.connections.guard(this.server)
    this.server.on('request', (_, response) =>
      response.once('close', () => {
        this.responded += 1
      }),
    )
    this.server.on('clientError', (_, stream) => stream.destroy())
    this.server.on('upgrade', (_, stream: Socket) =>
      stream.on('error', () => {}).write('HTTP/1.1 101 Switching Protocols\r\n\r\n'),
    )
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** How many are open, with and without a signature. */
  get counts(): string {
    const { authenticated, unauthenticated } = this.connections.counts
    return `${authenticated} + ${unauthenticated}`
  }

  /** Opened as the server sees it, too, after the handshake unless that is left out (`raw`). */
  async connect({ localAddress = '127.0.0.1', raw = false } = {}): Promise<Client> {
    const options = { port: this.port, host: '127.0.0.1', localAddress }
    const isTls = this.#tls && !raw
    const accepted = once(this.server, isTls ? 'secureConnection' : 'connection')
    const socket = isTls ? connectTls({ ...options, rejectUnauthorized: false }) : connect(options)
    const client: Client = { socket, text: '', closed: false }
    socket.on('data', (chunk) => {
      client.text += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      client.closed = true
    })
    this.#context.after(() => socket.destroy())
    await accepted
    return client
  }

  /** A connection on which a signature was verified. */
  async connectSigned(from = {}): Promise<Client> {
    const client = await this.connect(from)
    await this.call(client, 'GET / HTTP/1.1\r\nhost: localhost\r\nx-signed: 1\r\n\r\n')
    return client
  }

  /** Resolves when the server has read the headers of the next request, or all of it. */
  reads(what: 'headers' | 'all'): Promise<void> {
    return new Promise((resolve) => {
      this.server.once('request', (request) => (what === 'headers' ? resolve() : request.once('end', resolve)))
    })
  }

  /** The status of the response. */
  async call(client: Client, request: string): Promise<number> {
    client.text = ''
    client.socket.write(request)
    return await this.status(client)
  }

  async status(client: Client): Promise<number> {
    await until(() => client.closed || client.text.includes('\r\n\r\n'))
    return Number(/^HTTP\/1\.1 (\d+) /.exec(client.text)?.[1] ?? 0)
  }
}

export async function startGuarded(t: TestContext, options: Options = {}): Promise<GuardedServer> {
  const { certificatePem: cert, privateKeyPem: key } = options.tls
    ? await issueCertificate(await createAuthority(Date.now()), ['localhost'], Date.now())
    : { certificatePem: '', privateKeyPem: '' }
  const guarded = new GuardedServer(t, { cert, key }, options)
  t.after(() => {
    guarded.connections.close()
    guarded.server.closeAllConnections()
    guarded.server.close()
  })
  await once(guarded.server.listen(0, '127.0.0.1'), 'listening')
  return guarded
}
