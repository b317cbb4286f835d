import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { FrameReader, opcodes, pongFrame } from './frame-reader.ts'

export interface SessionOptions {
  /** `ws://host:port` or `wss://host:port`. */
  url: string
  /** Path and query of the connect. */
  target: string
  /** The authority's certificate in PEM, for `wss`. */
  ca?: string | undefined
  onText?(payload: Buffer): void
}

/**
 * The receiving end of a messaging session, on a bare socket: a thousand of them must cost less than the server that
 * writes to them.
 */
export class Session {
  /** Text frames received. */
  frames = 0
  readonly #socket: Socket
  readonly #reader = new FrameReader()
  readonly #onText: (payload: Buffer) => void
  readonly #opened = Promise.withResolvers<void>()
  #head = ''
  #upgraded = false

  private constructor({ url, target, ca, onText = () => {} }: SessionOptions) {
    const { protocol, hostname, host, port } = new URL(url)
    const to = { host: hostname, port: Number(port) }
    this.#onText = onText
    this.#socket = protocol === 'wss:' ? connectTls({ ...to, ca, servername: 'localhost' }) : connect(to)
    this.#socket.setNoDelay(true)
    this.#socket.on('data', (bytes: Buffer) => this.#receive(bytes))
    this.#socket.on('error', this.#opened.reject)
    this.#socket.on('close', () => this.#opened.reject(new Error(`the session was closed at once: ${this.#head}`)))
    const key = 'sec-websocket-version: 13\r\nsec-websocket-key: YmVuY2htYXJrYmVuY2htYQ=='
    this.#socket.write(
      `GET ${target} HTTP/1.1\r\nhost: ${host}\r\nconnection: upgrade\r\nupgrade: websocket\r\n${key}\r\n\r\n`,
    )
  }

  /** Resolves with the first text frame, which is SESSION_ESTABLISHED. */
  static async open(options: SessionOptions): Promise<Session> {
    const session = new Session(options)
    await session.#opened.promise
    return session
  }

  close(): void {
    this.#socket.destroy()
  }

  #receive(bytes: Buffer): void {
    const rest = this.#upgraded ? bytes : this.#readHead(bytes)
    if (!rest) return
    for (const { opcode, payload } of this.#reader.read(rest)) {
      if (opcode === opcodes.text) this.#receiveText(payload)
      else if (opcode === opcodes.ping) this.#socket.write(pongFrame(payload))
      else if (opcode === opcodes.close) this.#head = `code ${payload.readUInt16BE(0)} ${payload.toString('utf8', 2)}`
    }
  }

  #receiveText(payload: Buffer): void {
    if (this.frames === 0) this.#opened.resolve()
    this.frames += 1
    this.#onText(payload)
  }

  /** The bytes after the response to the upgrade. */
  #readHead(bytes: Buffer): Buffer | undefined {
    this.#head += bytes.toString('latin1')
    const end = this.#head.indexOf('\r\n\r\n')
    if (end === -1) return undefined
    this.#upgraded = this.#head.startsWith('HTTP/1.1 101')
    if (!this.#upgraded) this.#socket.destroy()
    return bytes.subarray(bytes.length - (this.#head.length - end - 4))
  }
}
