/** Marks what a function writes, in the function's own process, so that a stack trace becomes one entry of the log. */
import { entryBegin, entryEnd } from './bootstrap-terms.ts'

type Write = (chunk: unknown, ...rest: unknown[]) => boolean

const lineFeed = 10
const beginBytes = Buffer.from(entryBegin)
const endBytes = Buffer.from(entryEnd)

/** From now on, each write that ends with a line is one entry. */
export function markEntries(stream: NodeJS.WriteStream): void {
  const write = stream.write.bind(stream) as Write
  stream.write = ((chunk, ...rest) => write(marked(chunk, rest[0]), ...rest)) as Write
}

/** Further output is one entry until the process ends: Node prints an uncaught error in several writes. */
export const beginLastEntry = (stream: NodeJS.WriteStream) => stream.write(entryBegin)

function marked(chunk: unknown, encoding: unknown): unknown {
  if (typeof chunk === 'string') {
    const isText = typeof encoding !== 'string' || /^utf-?8$/i.test(encoding)
    return isText && chunk.endsWith('\n') ? entryBegin + chunk + entryEnd : chunk
  }
  if (!(chunk instanceof Uint8Array) || chunk.at(-1) !== lineFeed) return chunk
  return Buffer.concat([beginBytes, chunk, endBytes])
}
