import { createHash, createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

/*
 * Requests of SDKs that do not run here, byte for byte as their sources make them. They are signed when they are sent, since
 * a signature is valid for minutes: by the rules of AWS's page "Create a signed AWS API request", in code that the server
 * does not share.
 */

export interface RawRequest {
  /** The status that the response must have. */
  status: number
  title: string
  /** The request, with placeholders in braces. */
  text: string
}

export interface RawResponse {
  status: number
  headers: string
  // biome-ignore lint/suspicious/noExplicitAny: any JSON that an operation returns
  body: any
}

/** A request in the file begins with `### STATUS TITLE`; what stands before the first is a comment. */
export function readCorpus(name: string): RawRequest[] {
  const file = readFileSync(join(import.meta.dirname, 'corpus', `${name}.http`), 'utf8')
  const [, ...requests] = file.split(/^### /m)
  return requests.map((request) => {
    const [, status, title = '', text = ''] = /^(\d+) ([^\n]*)\n(.*)$/s.exec(request) ?? []
    return { status: Number(status), title, text: text.trimEnd() }
  })
}

export interface Signing {
  credentials: { accessKeyId: string; secretAccessKey: string }
  region: string
  date: Date
}

/** The request with its placeholders filled, and with its signature. */
export function signed(request: string, values: Record<string, string>, signing: Signing): string {
  const { credentials, region, date } = signing
  const time = date.toISOString().replace(/[-:]|\.\d+/g, '')
  const scope = `${time.slice(0, 8)}/${region}/chime/aws4_request`
  const [headTemplate = '', bodyTemplate = ''] = request.split('\n\n')
  const body = filled(bodyTemplate, values)
  const more = {
    Date: time,
    AccessKey: credentials.accessKeyId,
    Scope: scope,
    BodyHash: hash(body),
    ContentLength: String(Buffer.byteLength(body)),
  }
  const head = filled(headTemplate, { ...values, ...more })
  const toSign = ['AWS4-HMAC-SHA256', time, scope, hash(canonicalRequest(head, body))].join('\n')
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${credentials.secretAccessKey}`)
  const signature = hmac(key, toSign).toString('hex')
  return `${head.replace('{Signature}', signature).replaceAll('\n', '\r\n')}\r\n\r\n${body}`
}

/** `{ChannelArn}` is encoded in a path; `{ChannelArn:}` keeps its colons. */
function filled(template: string, values: Record<string, string>): string {
  return template.replace(/\{([A-Z]\w+)(:?)\}/g, (whole, name: string, colon: string) => {
    const value = values[name]
    if (value === undefined) return whole
    if (name !== 'ChannelArn') return value
    const encoded = encodeURIComponent(value)
    return colon ? encoded.replaceAll('%3A', ':') : encoded
  })
}

function canonicalRequest(head: string, body: string): string {
  const [requestLine = '', ...lines] = head.split('\n')
  const [method, target = ''] = requestLine.split(' ')
  const [path = '', query = ''] = target.split('?')
  const headers = new Map(lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line]))
  const [, names = ''] = /SignedHeaders=([^,]+)/.exec(head) ?? []
  const values = names.split(';').map((name) => {
    const line = headers.get(name) ?? ''
    return `${name}:${line.slice(line.indexOf(':') + 1).trim()}\n`
  })
  const twiceEncoded = path.split('/').map(encodeURIComponent).join('/')
  return [method, twiceEncoded, query.split('&').sort().join('&'), values.join(''), names, hash(body)].join('\n')
}

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/** Sends the bytes over a connection of their own. */
export async function exchange(endpoint: string, request: string): Promise<RawResponse> {
  const { hostname, port } = new URL(endpoint)
  const socket = connect(Number(port), hostname)
  // The server closes the connection after this, and the end of the response is the end of the text.
  socket.write(request.replace(/(\r\nConnection: .*)?\r\n\r\n/, '\r\nConnection: close\r\n\r\n'))
  const response = await text(socket)
  const [headers = '', body = ''] = response.split('\r\n\r\n')
  return { status: Number(headers.split(' ')[1]), headers, body: body && JSON.parse(body) }
}
