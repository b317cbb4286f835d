import type { Duplex } from 'node:stream'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { type Answer, failure, notInTime, sendRaw } from './answer.ts'

/** Two ARNs in a path, a bearer and a paging token take 12 kB when they are as long as they may be. */
export const headerBytesMax = 32 * 1024

const notHttp = failure(400, 'BadRequestException', 'BadRequest', 'The request is not well-formed HTTP/1.1')

const answers = new Map<string | undefined, Answer>([
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
 * For `clientError` of node:http and node:https: answers what Node cannot read as a request, in AWS's form, since SDKs
 * read no other. A connection that broke, or failed in its TLS handshake, is closed without a response.
 */
export function refuseMalformed({ clock, log, newId }: { clock: Pick<Clock, 'now'>; log: Log; newId(): string }) {
  return ({ code, message }: NodeJS.ErrnoException, stream: Duplex): void => {
    const isSyntax = code?.startsWith('HPE_')
    const answer = answers.get(code) ?? (isSyntax ? notHttp : undefined)
    if (answer && stream.writable) {
      const requestId = newId()
      log.debug({ requestId, status: answer.status, code, reason: message }, 'the request could not be read')
      sendRaw(stream, answer, requestId, clock.now())
    } else if (!isSyntax) {
      // Else it is more of what was answered already, and the answer is still on its way.
      stream.destroy()
    }
  }
}
