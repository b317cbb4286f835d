import { connect, type Socket } from 'node:net'

interface FloodOptions {
  port: number
  /** The source address. */
  localAddress: string
  /** Connections at a time. */
  size: number
  /** The bytes that each sends; none if left out. */
  text?: string
  /** Maximum of opened connections: each reconnects when it is closed. */
  attemptsMax?: number
}

/** Connections from one address that never sign. */
export class Flood {
  readonly #options: FloodOptions
  readonly #sockets = new Set<Socket>()
  /** The server's responses before it closed a connection, by status; 0 for none. */
  readonly endings = new Map<number, number>()
  attempts = 0
  #over = false

  constructor(options: FloodOptions) {
    this.#options = options
    for (let index = 0; index < options.size; index += 1) this.#open()
  }

  close(): void {
    this.#over = true
    for (const socket of this.#sockets) socket.destroy()
  }

  #open(): void {
    const { port, localAddress, text, attemptsMax = Number.POSITIVE_INFINITY } = this.#options
    if (this.attempts >= attemptsMax) return
    this.attempts += 1
    let status = 0
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    this.#sockets.add(socket)
    if (text !== undefined) socket.write(text)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      status ||= Number(/^HTTP\/1\.1 (\d+) /.exec(chunk.toString('latin1'))?.[1] ?? 0)
    })
    socket.on('close', () => {
      this.#sockets.delete(socket)
      if (this.#over) return
      this.endings.set(status, (this.endings.get(status) ?? 0) + 1)
      this.#open()
    })
  }
}
