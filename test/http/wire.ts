import { once } from 'node:events'
import { connect } from 'node:net'
import { sign } from '../support/smithy-signer.ts'

/** A call in HTTP's own words. It is signed as it is described here, and then sent as `edit` and `sentBody` leave it. */
export interface Call {
  method: string
  /** Path and query, percent-encoded. */
  target: string
  /** Names in lower case, but for Host, which is the server's own unless given here. */
  headers?: Record<string, string>
  body?: string | Uint8Array
  unsigned?: true
  /** As boto signs: without x-amz-content-sha256. */
  withoutChecksum?: true
  /** Changes the head on its way: request line and headers, each line with its CRLF. */
  edit?: (head: string) => string
  sentBody?: string | Uint8Array
}

export interface WireAnswer {
  status: number
  /** By name, in lower case. */
  headers: Map<string, string>
  body: string
}

interface Signing {
  endpoint: string
  credentials: { accessKeyId: string; secretAccessKey: string }
  signingDate: Date
}

/** The bytes of a call. The server is asked to hang up after the last one on a connection. */
export async function bytesOf(call: Call, signing: Signing, isLast = true): Promise<Buffer> {
  const { method, target, body = '', sentBody = body, edit = (head) => head } = call
  const described = { host: new URL(signing.endpoint).host, ...call.headers }
  const options = { ...signing, applyChecksum: !call.withoutChecksum }
  const headers = call.unsigned
    ? described
    : (await sign({ method, target, headers: described, body }, options)).headers
  const sent = { ...headers, 'content-length': Buffer.byteLength(sentBody), ...(isLast && { connection: 'close' }) }
  const lines = Object.entries(sent).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = edit(`${method} ${target} HTTP/1.1\r\n${lines.join('')}`)
  return Buffer.concat([Buffer.from(`${head}\r\n`, 'latin1'), Buffer.from(sentBody)])
}

/** Sends the bytes and reads what is answered until the server hangs up. */
export async function exchange(endpoint: string, bytes: Uint8Array): Promise<WireAnswer[]> {
  const { hostname, port } = new URL(endpoint)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  socket.write(bytes)
  const chunks: Uint8Array[] = []
  // A server that hangs up on what it need not read may do it by a reset; the answer is there by then.
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).on('error', () => {})
  await once(socket, 'close')
  return readAnswers(Buffer.concat(chunks))
}

function readAnswers(bytes: Buffer): WireAnswer[] {
  if (bytes.length === 0) return []
  const headEnd = bytes.indexOf('\r\n\r\n') + 4
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd - 4).split('\r\n')
  const headers = new Map(lines.map((line) => headerOf(line)))
  const bodyEnd = headEnd + Number(headers.get('content-length') ?? 0)
  const answer = { status: Number(statusLine.split(' ')[1]), headers, body: bytes.toString('utf8', headEnd, bodyEnd) }
  return [answer, ...readAnswers(bytes.subarray(bodyEnd))]
}

function headerOf(line: string): [name: string, value: string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()]
}
