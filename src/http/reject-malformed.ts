import type { Duplex } from 'node:stream'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { failure, notInTime, type OutgoingResponse, sendRaw } from './outgoing-response.ts'

/** Two ARNs in a path, a bearer and a paging token of maximum length take 12 kB. */
export const headerBytesMax = 32 * 1024

const notHttp = failure(400, 'BadRequestException', 'BadRequest', 'The request is not well-formed HTTP/1.1')

const byErrorCode = new Map<string | undefined, OutgoingResponse>([
  [
    'HPE_HEADER_OVERFLOW',
    failure(
      431,
      'BadRequestException',
      'BadRequest',
      `The path and the headers of a request must have at most ${headerBytesMax} bytes`,
    ),
  ],
  ['ERR_HTTP_REQUEST_TIMEOUT', notInTime],
])

/**
 * For `clientError` of node:http and node:https: responds to data that Node cannot parse as a request, in AWS's form,
 * because SDKs read no other. A broken connection or a failed TLS handshake is closed without a response.
 */
export function rejectMalformed({ clock, log, newId }: { clock: Pick<Clock, 'now'>; log: Log; newId(): string }) {
  return ({ code, message }: NodeJS.ErrnoException, stream: Duplex): void => {
    const isSyntax = code?.startsWith('HPE_')
    const outgoing = byErrorCode.get(code) ?? (isSyntax ? notHttp : undefined)
    if (outgoing && stream.writable) {
      const requestId = newId()
      log.debug({ requestId, status: outgoing.status, code, reason: message }, 'malformed request')
      sendRaw(stream, outgoing, requestId, clock.now())
    } else if (!isSyntax) {
      // A syntax error without `writable` is more data after a response that is still being sent.
      stream.destroy()
    }
  }
}
