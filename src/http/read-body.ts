import type { IncomingMessage } from 'node:http'

/** A real request has a few kB: the largest have a hundred ARNs or 4 kB of text. */
export const bodyBytesMax = 1024 * 1024

/** What comes after a body that is too large is thrown away, so that the caller gets to read the answer. Up to here. */
const drainBytesMax = 8 * bodyBytesMax

/** Whether the request says so itself, before its body has come. */
export const announcesTooMuch = ({ headers }: IncomingMessage) => Number(headers['content-length']) > bodyBytesMax

/** The whole body, or why there is none: it has more than `bodyBytesMax` bytes, or the caller went away. */
export function readBody(request: IncomingMessage): Promise<Buffer | 'too large' | 'aborted'> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = []
    let bytes = 0
    if (announcesTooMuch(request)) resolve('too large')
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes <= bodyBytesMax) chunks.push(chunk)
      else resolve('too large')
      if (bytes > drainBytesMax) request.destroy()
    })
    request.on('end', () => resolve(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks)))
    request.on('error', () => resolve('aborted'))
    request.on('close', () => resolve('aborted'))
  })
}
