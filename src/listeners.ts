import { createServer as createHttpServer, type Server as HttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { Config } from './config.ts'
import { inviteBody } from './http/invite-body.ts'
import { refuseMalformed } from './http/refuse-malformed.ts'
import { serverOptions } from './http/serve.ts'
import type { CertifiedKey } from './runtime/certificates.ts'
import type { Clock } from './runtime/clock.ts'
import type { Endpoint } from './runtime/endpoint-files.ts'
import { listen, localUrl, sessionHost, stopListening } from './runtime/listening.ts'
import type { Log } from './runtime/log.ts'
import type { ConnectionCounts } from './runtime/metrics.ts'

/** Where a server is called: over HTTP, and over HTTPS unless a proxy in front of it ends TLS. */
export class Listeners {
  readonly #config: Config
  readonly #http: HttpServer
  readonly #https: HttpsServer | undefined

  constructor(config: Config, listener: RequestListener, world: { clock: Clock; log: Log; newId(): string }) {
    this.#config = config
    this.#http = createHttpServer(serverOptions, listener)
    if (config.tls) this.#https = createHttpsServer(serverOptions, listener)
    for (const server of this.all) {
      server.on('clientError', refuseMalformed(world))
      server.on('checkContinue', inviteBody(listener))
      // Any other expectation is ignored, like an unknown header: Node would refuse it without a word.
      server.on('checkExpectation', listener)
    }
  }

  get all(): (HttpServer | HttpsServer)[] {
    return this.#https ? [this.#http, this.#https] : [this.#http]
  }

  get connections(): ConnectionCounts {
    return { authenticated: 0, unauthenticated: 0 }
  }

  /** From the next handshake on. Throws if it cannot, and goes on with the one before. */
  useCertificate({ certificatePem: cert, privateKeyPem: key }: CertifiedKey): void {
    this.#https?.setSecureContext({ cert, key })
  }

  async listen(): Promise<Pick<Endpoint, 'http' | 'https' | 'wss'>> {
    const { host, httpPort, httpsPort, publicHost } = this.#config
    const http = await listen(this.#http, host, httpPort)
    const https = this.#https && (await listen(this.#https, host, httpsPort))
    return {
      http: localUrl('http', host, http),
      https: https === undefined ? undefined : localUrl('https', host, https),
      wss: publicHost ?? sessionHost(host, https ?? http),
    }
  }

  /** Takes no further connection, and resolves when none is left. */
  async close(): Promise<void> {
    await Promise.all(this.all.map(stopListening))
  }
}
