import { type IncomingHttpHeaders, request as requestOverHttp } from 'node:http'
import { request as requestOverTls } from 'node:https'

interface Call {
  headers?: Record<string, string>
  body?: object | string
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
  // biome-ignore lint/suspicious/noExplicitAny: any JSON that the console returns
  json: any
}

/** What the page of the console sends with a write. */
export const ownWrite = (origin: string) => ({
  origin,
  'sec-fetch-site': 'same-origin',
  'content-type': 'application/json',
  'x-carillon-console': '1',
})

/** A browser with the console open, as far as the server sees it: its cookie, and the headers that browsers add. */
export class ConsoleClient {
  readonly url: string
  readonly #ca: Buffer | undefined
  cookie: string | undefined

  /** `ca`: the certificate of the authority, for a server with TLS. */
  constructor(url: string, ca?: Buffer) {
    this.url = url
    this.#ca = ca
  }

  /** Sends these headers only, and the cookie: `fetch` would not let a test choose Host or Origin. */
  send(method: string, path: string, { headers = {}, body }: Call = {}): Promise<Answer> {
    const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
    const all = { ...(this.cookie !== undefined && { cookie: this.cookie }), ...headers }
    const request = this.url.startsWith('https:') ? requestOverTls : requestOverHttp
    const options = { method, headers: all, agent: false as const, ca: this.#ca }
    return new Promise((resolve, reject) => {
      const sent = request(this.url + path, options, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => resolve(answer(response.statusCode ?? 0, response.headers, Buffer.concat(chunks))))
      })
      sent.on('error', reject)
      sent.end(text)
    })
  }

  read(path: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('GET', path, { headers: { 'sec-fetch-site': 'same-origin', ...headers } })
  }

  write(path: string, body: object = {}, headers: Record<string, string> = {}): Promise<Answer> {
    return this.send('POST', path, { headers: { ...ownWrite(this.url), ...headers }, body })
  }

  /** Keeps the cookie if the proof is good. */
  async signIn(proof: object): Promise<Answer> {
    const signed = await this.write('/console/sign-in', proof)
    if (signed.status === 200) this.cookie = signed.headers['set-cookie']?.[0]?.split(';')[0]
    return signed
  }
}

function answer(status: number, headers: IncomingHttpHeaders, body: Buffer): Answer {
  const text = body.toString()
  const isJson = headers['content-type'] === 'application/json' && text !== ''
  return { status, headers, text, json: isJson ? JSON.parse(text) : undefined }
}
