import { type CryptoKey, createLocalJWKSet, errors, type JSONWebKeySet, type JWSHeaderParameters } from 'jose'
import { Agent, request } from 'undici'
import type { Clock } from '../runtime/clock.ts'

export interface IssuerKeysParts {
  clock: Clock
  log: { warn(facts: object, text: string): void }
}

/** There are no keys, because the issuer did not respond with them. */
export class IssuerUnreachable extends Error {}

/** The keys are fetched at most once in this time, whatever callers send and the issuer responds. */
const fetchEveryMs = 30_000
/** Older keys are fetched again, so that the issuer can withdraw one. */
const freshMs = 10 * 60_000
/** While the issuer does not respond, its keys are used for so long. */
const keptMsMax = 60 * 60_000
/** Both documents together. */
const fetchMsMax = 5_000
/** The documents of real issuers have 1 to 30 kB. */
const documentBytesMax = 256 * 1024

type FindKey = (header: JWSHeaderParameters) => Promise<CryptoKey>

/** The public keys of an OpenID Connect issuer, by its discovery document. */
export class IssuerKeys {
  readonly #issuer: string
  readonly #parts: IssuerKeysParts
  #keys: { find: FindKey; fetchedMs: number } | undefined
  #fetchAgainMs = Number.NEGATIVE_INFINITY
  #fetching: Promise<void> | undefined

  constructor(issuer: string, parts: IssuerKeysParts) {
    this.#issuer = issuer
    this.#parts = parts
  }

  /** Rejects with an IssuerUnreachable, or with jose's error if no key fits. */
  async find(header: JWSHeaderParameters): Promise<CryptoKey> {
    if (!this.#isYoungerThan(freshMs)) await this.#fetch()
    const keys = this.#current()
    try {
      return await keys.find(header)
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
      // The issuer may have a new key.
      await this.#fetch()
      return this.#current().find(header)
    }
  }

  #current() {
    if (!this.#keys || !this.#isYoungerThan(keptMsMax)) {
      throw new IssuerUnreachable('The keys of the identity provider cannot be fetched')
    }
    return this.#keys
  }

  #isYoungerThan(ageMs: number): boolean {
    return this.#keys !== undefined && this.#parts.clock.now() < this.#keys.fetchedMs + ageMs
  }

  /** Callers share one fetch. It never rejects. */
  #fetch(): Promise<void> {
    const now = this.#parts.clock.now()
    if (this.#fetching) return this.#fetching
    if (now < this.#fetchAgainMs) return Promise.resolve()
    this.#fetchAgainMs = now + fetchEveryMs
    this.#fetching = this.#load(now)
      .catch((error: Error) => {
        this.#parts.log.warn(
          { issuer: this.#issuer, reason: reasonOf(error) },
          'fetching the keys of the issuer failed',
        )
      })
      .finally(() => {
        this.#fetching = undefined
      })
    return this.#fetching
  }

  async #load(now: number): Promise<void> {
    const timeout = new AbortController()
    const cancel = this.#parts.clock.at(now + fetchMsMax, () =>
      timeout.abort(new Error(`timed out after ${fetchMsMax / 1000} s`)),
    )
    const agent = new Agent({ maxResponseSize: documentBytesMax, headersTimeout: 0, bodyTimeout: 0 })
    const read = (url: URL) => readJson(url, agent, timeout.signal)
    try {
      const keySetUrl = await findKeySet(this.#issuer, read)
      this.#keys = { find: createLocalJWKSet((await read(keySetUrl)) as unknown as JSONWebKeySet), fetchedMs: now }
    } finally {
      cancel()
      await agent.destroy()
    }
  }
}

/** As OpenID Connect Discovery 1.0 says, section 4. */
async function findKeySet(issuer: string, read: (url: URL) => Promise<Record<string, unknown>>): Promise<URL> {
  const document = await read(new URL(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`))
  if (document.issuer !== issuer) throw new Error('the discovery document is of another issuer')
  const url = typeof document.jwks_uri === 'string' ? URL.parse(document.jwks_uri) : null
  // The operator has chosen the issuer's scheme: a document must not lead from https to http.
  if (!url || ![new URL(issuer).protocol, 'https:'].includes(url.protocol)) {
    throw new Error('the discovery document has no jwks_uri with the scheme of the issuer')
  }
  return url
}

/** Follows no redirect: its address would be the choice of another party. */
async function readJson(url: URL, dispatcher: Agent, signal: AbortSignal): Promise<Record<string, unknown>> {
  const { statusCode, body } = await request(url, { dispatcher, signal, headers: { accept: 'application/json' } })
  if (statusCode !== 200) throw new Error(`${url} responded with ${statusCode}`)
  const document: unknown = JSON.parse(await body.text())
  if (typeof document !== 'object' || document === null) throw new Error(`${url} responded with no JSON object`)
  return document as Record<string, unknown>
}

const reasonOf = ({ message, cause }: Error) => (cause instanceof Error ? `${message}: ${cause.message}` : message)
