/** A frame of RFC 6455, as servers send them: not masked, not in fragments. */
interface Frame {
  opcode: number
  payload: Buffer
}

export const opcodes = { text: 1, close: 8, ping: 9, pong: 10 }

const noBytes: Buffer = Buffer.alloc(0)

/** Cuts the bytes of a WebSocket connection into frames, without looking into them. */
export class FrameReader {
  #kept: Buffer = noBytes;

  *read(bytes: Buffer): Generator<Frame> {
    const all: Buffer = this.#kept.length === 0 ? bytes : Buffer.concat([this.#kept, bytes])
    let at = 0
    for (;;) {
      const header = headerAt(all, at)
      if (!header || all.length < header.end) break
      yield { opcode: (all[at] as number) & 15, payload: all.subarray(header.start, header.end) }
      at = header.end
    }
    // A copy, so that a few bytes do not keep the whole buffer.
    this.#kept = at === all.length ? noBytes : Buffer.from(all.subarray(at))
  }
}

/** The start and the end of the payload of the frame at `at`, or undefined if more bytes are needed. */
function headerAt(bytes: Buffer, at: number): { start: number; end: number } | undefined {
  if (bytes.length < at + 2) return undefined
  const length = (bytes[at + 1] as number) & 127
  if (length < 126) return { start: at + 2, end: at + 2 + length }
  const start = at + (length === 126 ? 4 : 10)
  if (bytes.length < start) return undefined
  return { start, end: start + (length === 126 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2))) }
}

/** The response to a ping. A client masks its frames; a mask of zeros leaves the bytes unchanged. */
export function pongFrame(payload: Buffer): Buffer {
  return Buffer.concat([Buffer.from([0x80 | opcodes.pong, 0x80 | payload.length, 0, 0, 0, 0]), payload])
}
