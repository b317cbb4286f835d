import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** Stands before a server of this machine, and can hold back everything, as a network does that drops all packets. */
export class StallingRelay {
  readonly #sockets = new Set<Socket>()
  readonly #listener: Server
  #stalled = false

  private constructor(serverPort: number) {
    this.#listener = createServer((near) => this.#join(near, connect(serverPort, '127.0.0.1')))
  }

  static async open(context: TestContext, serverPort: number): Promise<StallingRelay> {
    const relay = new StallingRelay(serverPort)
    relay.#listener.listen(0, '127.0.0.1')
    await once(relay.#listener, 'listening')
    context.after(() => relay.#close())
    return relay
  }

  get port(): number {
    return (this.#listener.address() as AddressInfo).port
  }

  /** Connections stay open and new ones are taken, but nothing passes any more. */
  stall(): void {
    this.#stalled = true
    for (const socket of this.#sockets) socket.pause()
  }

  #join(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.#sockets.delete(from)
        to.destroy()
      })
      from.pipe(to)
      if (this.#stalled) from.pause()
    }
  }

  async #close(): Promise<void> {
    const closed = once(this.#listener, 'close')
    this.#listener.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}
