import { type IncomingHttpHeaders, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ApiError } from '../contract/api-error.ts'
import type { Refusal } from '../signature/refusal.ts'
import { bodyBytesMax } from './read-body.ts'

/** One answer, whole but for the headers that all answers have. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body: string
}

const json = { 'content-type': 'application/json' }

export const success = (status: number, output: object): Answer =>
  status === 204 ? { status, headers: {}, body: '' } : { status, headers: json, body: JSON.stringify(output) }

/** The SDKs choose the class of their exception by the header alone; the body has the code and the text. */
export const failure = (status: number, type: string, code: string, message: string): Answer => ({
  status,
  headers: { ...json, 'x-amzn-ErrorType': type, ...(mayRetry(status) && { 'retry-after': '1' }) },
  body: JSON.stringify({ Code: code, Message: message }),
})

const mayRetry = (status: number) => status === 429 || status === 503

export const apiFailure = ({ status, type, code, message }: ApiError) => failure(status, type, code, message)

export const refused = ({ status, type, message }: Refusal) => failure(status, `${type}Exception`, type, message)

export const unknownOperation = (method: string, target: string) =>
  failure(
    404,
    'UnknownOperationException',
    'UnknownOperation',
    `There is no operation ${method} ${target.slice(0, 256)}. If AWS's API has it, this server does not have it yet.`,
  )

export const notOneHost = failure(400, 'BadRequestException', 'BadRequest', 'The request must have one Host header')

export const tooLarge = failure(
  413,
  'BadRequestException',
  'BadRequest',
  `The request body must have at most ${bodyBytesMax} bytes`,
)

/** The SDKs try again what fails by this name. */
export const notInTime = failure(408, 'RequestTimeoutException', 'RequestTimeout', 'The request did not arrive in time')

export const tooManyConnections = failure(
  503,
  'ServiceUnavailableException',
  'ServiceUnavailable',
  'The server has as many connections as it can take; try again',
)

/** For a person with a browser. */
export const page = (html: string): Answer => ({
  status: 200,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: html,
})

/**
 * What a browser asks before it lets a page call. `*` as the list of allowed headers would not cover Authorization, so
 * the list that was asked for is repeated.
 */
export const preflight = (headers: IncomingHttpHeaders): Answer => ({
  status: 204,
  headers: {
    'access-control-allow-methods': 'GET, POST, PUT, DELETE',
    'access-control-allow-headers': headers['access-control-request-headers'] ?? 'authorization, content-type',
    'access-control-max-age': '86400',
  },
  body: '',
})

/** Pages may call from anywhere: it is the signature that says who calls. What is not exposed, SDKs in pages cannot see. */
const crossOrigin = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'x-amzn-RequestId, x-amzn-ErrorType, Date, Retry-After',
}

/** With those that all answers have. */
function headersOf({ status, headers, body }: Answer, requestId: string, lastOnConnection: boolean) {
  const all: Record<string, string | number> = { 'x-amzn-RequestId': requestId, ...crossOrigin, ...headers }
  if (status !== 204) all['content-length'] = Buffer.byteLength(body)
  if (lastOnConnection) all.connection = 'close'
  return all
}

export function send(response: ServerResponse, answer: Answer, requestId: string, lastOnConnection: boolean): void {
  response.writeHead(answer.status, headersOf(answer, requestId, lastOnConnection))
  response.end(answer.body)
}

/**
 * Where there is no ServerResponse, because there is no request that Node could read. Hangs up afterwards; to `linger` is
 * to wait until the caller does it, since a connection that is closed before all was read may lose the answer.
 */
export function sendRaw(
  stream: Duplex,
  answer: Answer,
  requestId: string,
  nowMs: number,
  { linger = false } = {},
): void {
  const date = new Date(nowMs).toUTCString()
  const all = { date, ...headersOf(answer, requestId, true) }
  const headers = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  stream.on('error', () => stream.destroy())
  if (!linger) stream.once('finish', () => stream.destroy())
  stream.end([`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}`, ...headers, '', answer.body].join('\r\n'))
}
