import { HttpClient, type Response } from './http-client.ts'
import { type KeyPair, Signer } from './sigv4.ts'

export const region = 'us-east-1'

/** The root key of every server that a benchmark starts. */
export const rootKeys: KeyPair = {
  accessKeyId: 'AKIABENCHMARK0000000',
  secretAccessKey: 'a-secret-of-benchmarks-and-of-nothing-else',
}

interface Call {
  method: string
  /** The path, percent-encoded, without a query. */
  path: string
  query?: string
  bearer?: string
  body?: object
}

/** Signed calls of the API. */
export class Api {
  readonly #client: HttpClient
  readonly #signer = new Signer(rootKeys, region, 'chime')

  constructor(url: string) {
    this.#client = new HttpClient(url)
  }

  get host(): string {
    return this.#client.host
  }

  call({ method, path, query = '', bearer, body }: Call): Promise<Response> {
    const { host } = this.#client
    const text = body === undefined ? '' : JSON.stringify(body)
    const headers = this.#signer.headers({ method, path, query, host, bearer, body: text })
    const target = query === '' ? path : `${path}?${query}`
    const length = `content-type: application/json\r\ncontent-length: ${Buffer.byteLength(text)}\r\n`
    return this.#client.exchange(`${method} ${target} HTTP/1.1\r\n${headers}${length}\r\n${text}`)
  }

  /** The output of a call that must succeed. */
  async output<Output>(call: Call): Promise<Output> {
    const { status, body } = await this.call(call)
    if (status < 200 || status > 299) throw new Error(`${call.method} ${call.path}: ${status} ${body}`)
    return JSON.parse(body || '{}') as Output
  }

  /** The presigned path and query of a user's session. */
  connectTarget(host: string, userArn: string, sessionId: string): string {
    return this.#signer.connectTarget(host, { userArn, sessionId })
  }

  close(): void {
    this.#client.close()
  }
}

export const channelPath = (channelArn: string): string => `/channels/${encodeURIComponent(channelArn)}`
