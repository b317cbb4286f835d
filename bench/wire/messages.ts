/** An HTTP message of the benchmarks' programs: with a Content-Length, or without a body. */
export interface Message {
  /** `POST /path HTTP/1.1` or `HTTP/1.1 200 OK`. */
  startLine: string
  body: string
}

const headEnd = Buffer.from('\r\n\r\n')
const noBytes: Buffer = Buffer.alloc(0)

/** Cuts the bytes of one connection into messages. */
export class MessageReader {
  #kept: Buffer = noBytes;

  /** The messages that these bytes complete. */
  *read(bytes: Buffer): Generator<Message> {
    let rest: Buffer = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes])
    for (let end = rest.indexOf(headEnd); end !== -1; end = rest.indexOf(headEnd)) {
      const head = rest.toString('latin1', 0, end)
      const bodyStart = end + headEnd.length
      const bodyEnd = bodyStart + contentLength(head)
      if (rest.length < bodyEnd) break
      yield { startLine: head.split('\r\n', 1)[0] ?? '', body: rest.toString('utf8', bodyStart, bodyEnd) }
      rest = rest.subarray(bodyEnd)
    }
    this.#kept = rest
  }
}

function contentLength(head: string): number {
  if (/\r\ntransfer-encoding:/i.test(head)) throw new Error('a chunked message, which the benchmarks cannot read')
  return Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
}
