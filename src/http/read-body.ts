import type { IncomingMessage } from 'node:http'

/** A real request has a few kB: the largest have a hundred ARNs or 4 kB of text. */
export const bodyBytesMax = 1024 * 1024

/** The rest of a body that is too large is discarded up to this limit, so that the caller can read the response. */
const drainBytesMax = 8 * bodyBytesMax

/** Whether the Content-Length is too large, before the body is received. */
export const announcesTooLarge = ({ headers }: IncomingMessage, bytesMax = bodyBytesMax) =>
  Number(headers['content-length']) > bytesMax

/**
 * Returns the whole body, or why there is none: it has more than `bytesMax` bytes, or the caller closed the
 * connection.
 */
export function readBody(request: IncomingMessage, bytesMax = bodyBytesMax): Promise<Buffer | 'too large' | 'aborted'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    if (announcesTooLarge(request, bytesMax)) resolve('too large')
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= bytesMax) chunks.push(chunk)
      else resolve('too large')
      if (bytes > drainBytesMax) request.destroy()
    })
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    request.on('error', () => resolve('aborted'))
    request.on('close', () => resolve('aborted'))
  })
}
