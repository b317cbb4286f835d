import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

/** A relay between a client and a server on this machine, which can disconnect that client only. */
export class Relay {
  readonly #serverPort: number
  readonly #sockets = new Set<Socket>()
  #listener: Server | undefined
  #port = 0

  constructor(serverPort: number) {
    this.#serverPort = serverPort
  }

  get port(): number {
    return this.#port
  }

  async open(): Promise<void> {
    this.#listener = createServer((near) => this.#join(near, connect(this.#serverPort, '127.0.0.1')))
    this.#listener.listen(this.#port, '127.0.0.1')
    await once(this.#listener, 'listening')
    this.#port = (this.#listener.address() as AddressInfo).port
  }

  /** Breaks all connections and accepts no new ones until it is opened again. */
  async cut(): Promise<void> {
    const closed = this.#listener?.listening ? once(this.#listener, 'close') : undefined
    this.#listener?.close()
    for (const socket of this.#sockets) socket.destroy()
    await closed
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
    }
  }
}

export async function openRelay(context: TestContext, serverPort: number): Promise<Relay> {
  const relay = new Relay(serverPort)
  await relay.open()
  context.after(() => relay.cut())
  return relay
}
