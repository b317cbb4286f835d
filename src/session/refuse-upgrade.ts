import { STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { ApiError } from '../contract/api-error.ts'

/**
 * Responds to an upgrade request as the API responds to a call, and closes: there is no ServerResponse for an upgrade.
 */
export function refuseUpgrade(stream: Duplex, { status, type, code, message }: ApiError): void {
  const body = JSON.stringify({ Code: code, Message: message })
  const lines = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `x-amzn-ErrorType: ${type}`,
    ...(status === 503 ? ['Retry-After: 1'] : []),
  ]
  stream.on('error', () => stream.destroy())
  stream.once('finish', () => stream.destroy())
  stream.end(`${lines.join('\r\n')}\r\n\r\n${body}`)
}
