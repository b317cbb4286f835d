import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

export const audience = 'chat'

/** Further claims, and header parameters, of a token. A claim that is undefined is left out. */
interface TokenOptions {
  claims?: Record<string, unknown>
  header?: Record<string, unknown>
  /** Signs with this key instead of the issuer's. */
  key?: CryptoKey
  issuedAtMs: number
}

/** An OpenID Connect issuer: its two documents over real HTTP, and the tokens that it would issue. */
export class Issuer {
  /** The paths that were requested, in their order. */
  readonly requests: string[] = []
  readonly #server = createServer((request, response) => void this.respond(request, response))
  #kid = 'first'
  #pair!: Awaited<ReturnType<typeof generateKeyPair>>
  /** Replaces the response of the issuer. */
  override: ((request: IncomingMessage, response: ServerResponse) => void) | undefined
  /** Replaces members of the discovery document. */
  discovery: Record<string, unknown> = {}

  static async open(): Promise<Issuer> {
    const issuer = new Issuer()
    await issuer.rotate('first')
    await once(issuer.#server.listen(0, '127.0.0.1'), 'listening')
    return issuer
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/realms/chat`
  }

  get fetches(): number {
    return this.requests.filter((path) => path === '/realms/chat/certs').length
  }

  /** Replaces the issuer's key. */
  async rotate(kid: string): Promise<void> {
    this.#kid = kid
    this.#pair = await generateKeyPair('RS256', { extractable: true })
  }

  publicJwk = async () => ({ ...(await exportJWK(this.#pair.publicKey)), kid: this.#kid, alg: 'RS256', use: 'sig' })

  respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    this.requests.push(request.url ?? '')
    if (this.override) return this.override(request, response)
    const documents: Record<string, () => Promise<object>> = {
      '/realms/chat/.well-known/openid-configuration': async () => ({
        issuer: this.url,
        jwks_uri: `${this.url}/certs`,
        ...this.discovery,
      }),
      '/realms/chat/certs': async () => ({ keys: [await this.publicJwk()] }),
    }
    const document = documents[request.url ?? '']
    response.writeHead(document ? 200 : 404, { 'content-type': 'application/json' })
    response.end(document ? JSON.stringify(await document()) : '{}')
  }

  /** An ID token for an hour. */
  token({ claims, header, key, issuedAtMs }: TokenOptions): Promise<string> {
    const seconds = Math.floor(issuedAtMs / 1000)
    const all = { iss: this.url, aud: audience, iat: seconds, exp: seconds + 3600, ...claims }
    const given = Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined))
    return new SignJWT(given)
      .setProtectedHeader({ alg: 'RS256', kid: this.#kid, ...header })
      .sign(key ?? this.#pair.privateKey)
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections()
    this.#server.close()
    await once(this.#server, 'close')
  }
}
