import { type IncomingHttpHeaders, type ServerResponse, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ApiError } from '../contract/api-error.ts'
import type { Rejection } from '../signature/rejection.ts'
import { bodyBytesMax } from './read-body.ts'

/** One response, without the headers that all responses have. */
export interface OutgoingResponse {
  status: number
  headers: Record<string, string>
  body: string
}

const json = { 'content-type': 'application/json' }

export const success = (status: number, output: object): OutgoingResponse =>
  status === 204 ? { status, headers: {}, body: '' } : { status, headers: json, body: JSON.stringify(output) }

/** The SDKs choose the class of their exception by the header only; the body has the code and the text. */
export const failure = (status: number, type: string, code: string, message: string): OutgoingResponse => ({
  status,
  headers: { ...json, 'x-amzn-ErrorType': type, ...(mayRetry(status) && { 'retry-after': '1' }) },
  body: JSON.stringify({ Code: code, Message: message }),
})

const mayRetry = (status: number) => status === 429 || status === 503

export const apiFailure = ({ status, type, code, message }: ApiError) => failure(status, type, code, message)

export const rejected = ({ status, type, message }: Rejection) => failure(status, `${type}Exception`, type, message)

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

/** The SDKs retry a call that fails with this name. */
export const notInTime = failure(408, 'RequestTimeoutException', 'RequestTimeout', 'The request did not arrive in time')

export const tooManyConnections = failure(
  503,
  'ServiceUnavailableException',
  'ServiceUnavailable',
  'The server has reached its limit of connections; try again',
)

/** For a person with a browser. */
export const page = (html: string): OutgoingResponse => ({
  status: 200,
  headers: { 'content-type': 'text/html; charset=utf-8' },
  body: html,
})

/**
 * The response to a preflight request of a browser. `*` as the list of allowed headers would not cover Authorization,
 * so the response repeats the requested list.
 */
export const preflight = (headers: IncomingHttpHeaders): OutgoingResponse => ({
  status: 204,
  headers: {
    'access-control-allow-methods': 'GET, POST, PUT, DELETE',
    'access-control-allow-headers': headers['access-control-request-headers'] ?? 'authorization, content-type',
    'access-control-max-age': '86400',
  },
  body: '',
})

/**
 * Pages of any origin may call, because the signature identifies the caller. SDKs in pages see only exposed headers.
 */
const crossOrigin = {
  'access-control-allow-origin': '*',
  'access-control-expose-headers': 'x-amzn-RequestId, x-amzn-ErrorType, Date, Retry-After',
}

/** How a response is sent. */
interface Sending {
  requestId: string
  lastOnConnection: boolean
  /** Whether pages of other origins may read it. */
  isCrossOrigin: boolean
}

/** With the headers that all responses have. */
function headersOf({ status, headers, body }: OutgoingResponse, sending: Sending) {
  const { requestId, lastOnConnection, isCrossOrigin } = sending
  const forPages = isCrossOrigin ? crossOrigin : {}
  const all: Record<string, string | number> = { 'x-amzn-RequestId': requestId, ...forPages, ...headers }
  if (status !== 204) all['content-length'] = Buffer.byteLength(body)
  if (lastOnConnection) all.connection = 'close'
  return all
}

export function send(response: ServerResponse, outgoing: OutgoingResponse, sending: Sending): void {
  response.writeHead(outgoing.status, headersOf(outgoing, sending))
  response.end(outgoing.body)
}

/**
 * For a connection without a ServerResponse, because Node could not read a request. Closes the connection afterwards.
 * With `linger`, the caller closes it: if the server closed it before it has read all data, the response might be lost.
 */
export function sendRaw(
  stream: Duplex,
  outgoing: OutgoingResponse,
  requestId: string,
  nowMs: number,
  { linger = false } = {},
): void {
  const date = new Date(nowMs).toUTCString()
  const all = { date, ...headersOf(outgoing, { requestId, lastOnConnection: true, isCrossOrigin: true }) }
  const headers = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  stream.on('error', () => stream.destroy())
  if (!linger) stream.once('finish', () => stream.destroy())
  stream.end(
    [`HTTP/1.1 ${outgoing.status} ${STATUS_CODES[outgoing.status]}`, ...headers, '', outgoing.body].join('\r\n'),
  )
}
