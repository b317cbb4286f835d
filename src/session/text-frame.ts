/** FIN, and the opcode of text. */
const finalText = 0x81

/** A whole WebSocket frame as servers send it (RFC 6455, 5.2): built once, and written to all its recipients. */
export function textFrame(text: string): Buffer {
  const length = Buffer.byteLength(text)
  const header = headerFor(length)
  const frame = Buffer.allocUnsafe(header.length + length)
  header.copy(frame)
  frame.write(text, header.length)
  return frame
}

function headerFor(length: number): Buffer {
  if (length < 126) return Buffer.from([finalText, length])
  const header = Buffer.from([finalText, 126, 0, 0])
  if (length < 65_536) {
    header.writeUInt16BE(length, 2)
    return header
  }
  const long = Buffer.from([finalText, 127, 0, 0, 0, 0, 0, 0, 0, 0])
  long.writeBigUInt64BE(BigInt(length), 2)
  return long
}
