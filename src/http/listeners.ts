import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { Clock } from '../runtime/clock.ts'
import type { Descriptors } from '../runtime/descriptors.ts'
import type { Endpoint } from '../runtime/endpoint-files.ts'
import { listen, localUrl, sessionHost, stopListening } from '../runtime/listening.ts'
import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Shortages } from '../runtime/shortage.ts'
import type { CertifiedKey } from '../tls/issue-certificate.ts'
import { deriveLimits, type WantedLimits } from './connection-limits.ts'
import { Connections } from './connections.ts'
import { handleExpectContinue } from './expect-continue.ts'
import { rejectMalformed } from './reject-malformed.ts'
import { serverOptions } from './serve.ts'

interface ListenerSettings extends WantedLimits {
  host: string
  httpPort: number
  httpsPort: number
  publicHost: string | undefined
  /** False behind a proxy that terminates TLS. */
  tls: boolean
  signatureTimeoutMs: number
}

interface World {
  clock: Clock
  log: Log
  newId(): string
  descriptors: Descriptors
  metrics: Metrics
  shortages: Shortages
}

/** Functions run on this machine. */
const functionsHost = '127.0.0.1'

/** The ports of a server: HTTP, and HTTPS unless a proxy in front of it terminates TLS. */
export class Listeners {
  readonly connections: Connections
  readonly #settings: ListenerSettings
  readonly #http: HttpServer
  readonly #https: HttpsServer | undefined
  /**
   * For functions only. On the other ports, the first callback of a function would compete for a connection with all
   * clients from 127.0.0.1, such as a proxy on this machine.
   */
  readonly #functions: HttpServer

  constructor(settings: ListenerSettings, world: World) {
    this.#settings = settings
    this.#http = createHttpServer(serverOptions)
    if (settings.tls) this.#https = createHttpsServer(serverOptions)
    this.#functions = createHttpServer(serverOptions)
    this.connections = limitConnections(settings, world)
    for (const server of this.all) {
      this.connections.guard(server, server === this.#functions ? 'functions' : undefined)
      server.on('clientError', rejectMalformed(world))
    }
  }

  /** Gives the requests of all ports to this listener. To be called once, before `listen`. */
  serve(listener: RequestListener): void {
    for (const server of this.all) {
      server.on('request', listener)
      server.on('checkContinue', handleExpectContinue(listener))
      // Any other expectation is ignored, like an unknown header: Node would reject it with a bare status.
      server.on('checkExpectation', listener)
    }
  }

  get all(): (HttpServer | HttpsServer)[] {
    return [this.#http, ...(this.#https ? [this.#https] : []), this.#functions]
  }

  /** The URL for functions, once the server listens. */
  get functionsUrl(): string {
    return localUrl('http', functionsHost, portOf(this.#functions))
  }

  /** What GetMessagingSessionEndpoint returns, once the server listens: `host[:port]`. */
  get sessionHost(): string {
    const { host, publicHost } = this.#settings
    return publicHost ?? sessionHost(host, portOf(this.#https ?? this.#http))
  }

  /**
   * Used from the next handshake on. If the certificate is not valid, this throws and the previous one stays in use.
   */
  useCertificate({ certificatePem: cert, privateKeyPem: key }: CertifiedKey): void {
    this.#https?.setSecureContext({ cert, key })
  }

  async listen(): Promise<Pick<Endpoint, 'http' | 'https' | 'wss'>> {
    const { host, httpPort, httpsPort } = this.#settings
    const http = await listen(this.#http, host, httpPort)
    const https = this.#https && (await listen(this.#https, host, httpsPort))
    await listen(this.#functions, functionsHost, 0)
    return {
      http: localUrl('http', host, http),
      https: https === undefined ? undefined : localUrl('https', host, https),
      wss: this.sessionHost,
    }
  }

  /** Accepts no further connection, and resolves when none is left. */
  async close(): Promise<void> {
    this.connections.close()
    await Promise.all(this.all.map(stopListening))
  }
}

const portOf = (server: HttpServer | HttpsServer): number => (server.address() as AddressInfo).port

/** The descriptors of the store and the bus are open already, so they are not available for connections. */
function limitConnections(settings: ListenerSettings, world: World): Connections {
  const { signatureTimeoutMs } = settings
  const { descriptors } = world
  const atStart = { limit: descriptors.limit(), open: descriptors.open() }
  const { limits, warnings } = deriveLimits(settings, atStart)
  for (const warning of warnings) world.log.warn({ ...limits, descriptors: atStart }, warning)
  world.log.info({ ...limits, descriptors: atStart, signatureTimeoutMs }, 'limits on connections')
  return new Connections({ ...world, limits, signatureTimeoutMs })
}
