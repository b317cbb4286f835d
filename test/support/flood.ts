import { connect, type Socket } from 'node:net'

/** Silent connections from one address. Each comes back when it is closed, until the flood is over. */
export class Flood {
  readonly #sockets = new Set<Socket>()
  /** What the server said before it closed one, by status; 0 where it said nothing. */
  readonly endings = new Map<number, number>()
  attempts = 0
  #over = false

  constructor(port: number, localAddress: string, size: number) {
    for (let index = 0; index < size; index += 1) this.#open(port, localAddress)
  }

  get open(): number {
    return [...this.#sockets].filter(({ readyState }) => readyState === 'open').length
  }

  close(): void {
    this.#over = true
    for (const socket of this.#sockets) socket.destroy()
  }

  #open(port: number, localAddress: string): void {
    this.attempts += 1
    let status = 0
    const socket = connect({ port, host: '127.0.0.1', localAddress })
    this.#sockets.add(socket)
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      status ||= Number(/^HTTP\/1\.1 (\d+) /.exec(chunk.toString('latin1'))?.[1] ?? 0)
    })
    socket.on('close', () => {
      this.#sockets.delete(socket)
      if (this.#over) return
      this.endings.set(status, (this.endings.get(status) ?? 0) + 1)
      this.#open(port, localAddress)
    })
  }
}
