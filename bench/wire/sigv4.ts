import { createHmac, hash } from 'node:crypto'

/*
 * AWS Signature Version 4, written once more for the benchmarks: the programs beside the server must cost little, and
 * the floor must not become quicker or slower when the server's own code changes.
 */

export interface KeyPair {
  accessKeyId: string
  secretAccessKey: string
}

interface Unsigned {
  method: string
  /** The path as it is in the request line, percent-encoded once. */
  path: string
  /** In canonical form. */
  query?: string
  host: string
  /** The AppInstanceUser who calls: the x-amz-chime-bearer header. */
  bearer?: string | undefined
  body?: string
}

const algorithm = 'AWS4-HMAC-SHA256'
const emptyHash = hash('sha256', '')

const hmac = (key: string | Buffer, text: string): Buffer => createHmac('sha256', key).update(text).digest()

/** Signs the requests of one key pair to one service. The key of the day and the text of the second are kept. */
export class Signer {
  readonly #keys: KeyPair
  readonly #region: string
  readonly #service: string
  #second = 0
  #timestamp = ''
  #date = ''
  #scope = ''
  #key: Buffer = Buffer.alloc(0)

  constructor(keys: KeyPair, region: string, service: string) {
    this.#keys = keys
    this.#region = region
    this.#service = service
  }

  /** The lines of the headers that a signed request needs, the Host header among them. Each ends in CR LF. */
  headers({ method, path, query = '', host, bearer, body = '' }: Unsigned): string {
    this.#lookAtClock()
    const names = bearer === undefined ? 'host;x-amz-date' : 'host;x-amz-chime-bearer;x-amz-date'
    const bearerLine = bearer === undefined ? '' : `x-amz-chime-bearer:${bearer}\n`
    const headers = `host:${host}\n${bearerLine}x-amz-date:${this.#timestamp}\n`
    const signature = this.#sign(canonicalRequest(method, path, query, headers, names, hash('sha256', body)))
    const credential = `${this.#keys.accessKeyId}/${this.#scope}`
    const sent = bearer === undefined ? '' : `x-amz-chime-bearer: ${bearer}\r\n`
    return (
      `host: ${host}\r\n${sent}x-amz-date: ${this.#timestamp}\r\n` +
      `authorization: ${algorithm} Credential=${credential}, SignedHeaders=${names}, Signature=${signature}\r\n`
    )
  }

  /** The presigned path and query of a session's connect. */
  connectTarget(host: string, parameters: Record<string, string>): string {
    this.#lookAtClock()
    const signed = {
      ...parameters,
      'X-Amz-Algorithm': algorithm,
      'X-Amz-Credential': `${this.#keys.accessKeyId}/${this.#scope}`,
      'X-Amz-Date': this.#timestamp,
      'X-Amz-Expires': '300',
      'X-Amz-SignedHeaders': 'host',
    }
    const pairs = Object.entries(signed).map(
      ([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`,
    )
    const query = pairs.sort().join('&')
    const signature = this.#sign(canonicalRequest('GET', '/connect', query, `host:${host}\n`, 'host', emptyHash))
    return `/connect?${query}&X-Amz-Signature=${signature}`
  }

  #sign(canonical: string): string {
    const text = `${algorithm}\n${this.#timestamp}\n${this.#scope}\n${hash('sha256', canonical)}`
    return createHmac('sha256', this.#key).update(text).digest('hex')
  }

  #lookAtClock(): void {
    const now = Date.now()
    const second = Math.floor(now / 1000)
    if (second === this.#second) return
    this.#second = second
    this.#timestamp = new Date(now).toISOString().replace(/[-:]|\.\d{3}/g, '')
    const date = this.#timestamp.slice(0, 8)
    if (date === this.#date) return
    this.#date = date
    this.#scope = `${date}/${this.#region}/${this.#service}/aws4_request`
    this.#key = signingKey(this.#keys.secretAccessKey, this.#scope)
  }
}

/** A request as node:http has read it. */
interface Received {
  method: string
  target: string
  headers: Record<string, string | string[] | undefined>
  body: Buffer
}

const authorizationPattern =
  /^AWS4-HMAC-SHA256 Credential=([^/]+)\/([^,]+), SignedHeaders=([^,]+), Signature=([0-9a-f]{64})$/

/** Verifies the signatures of one key pair, without the other rules of a real server. */
export class Verifier {
  readonly #keys: KeyPair
  #scope = ''
  #key: Buffer = Buffer.alloc(0)

  constructor(keys: KeyPair) {
    this.#keys = keys
  }

  accepts({ method, target, headers, body }: Received): boolean {
    const [, accessKeyId, scope = '', names = '', signature] =
      authorizationPattern.exec(`${headers.authorization}`) ?? []
    if (accessKeyId !== this.#keys.accessKeyId) return false
    if (scope !== this.#scope) {
      this.#scope = scope
      this.#key = signingKey(this.#keys.secretAccessKey, scope)
    }
    const mark = target.indexOf('?')
    const [path, query] = mark === -1 ? [target, ''] : [target.slice(0, mark), target.slice(mark + 1)]
    const lines = names.split(';').map((name) => `${name}:${headers[name]}\n`)
    const canonical = canonicalRequest(method, path, query, lines.join(''), names, hash('sha256', body))
    const text = `${algorithm}\n${headers['x-amz-date']}\n${scope}\n${hash('sha256', canonical)}`
    return createHmac('sha256', this.#key).update(text).digest('hex') === signature
  }
}

/** Every service but S3 signs the path percent-encoded once more. */
const canonicalRequest = (method: string, path: string, query: string, headers: string, names: string, body: string) =>
  `${method}\n${path.replaceAll('%', '%25')}\n${query}\n${headers}\n${names}\n${body}`

function signingKey(secretAccessKey: string, scope: string): Buffer {
  return scope.split('/').reduce<Buffer>((key, part) => hmac(key, part), Buffer.from(`AWS4${secretAccessKey}`))
}
