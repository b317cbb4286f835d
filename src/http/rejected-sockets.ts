import type { Socket } from 'node:net'
import type { Clock } from '../runtime/clock.ts'
import { sendRaw, tooManyConnections } from './outgoing-response.ts'

/** Time limit for a rejected connection to read its response, and maximum of such connections at a time. */
const lingerMs = 1_000
const lingeringMax = 64

interface RejectedSocketsParts {
  clock: Clock
  newId(): string
}

/** Connections that are rejected as soon as they are accepted. */
export class RejectedSockets {
  readonly #parts: RejectedSocketsParts
  readonly #lingering = new Set<Socket>()

  constructor(parts: RejectedSocketsParts) {
    this.#parts = parts
  }

  /**
   * Sends the response before the request is read, and discards the client's data until the client has read the
   * response.
   */
  add(socket: Socket, silently: boolean): void {
    if (silently || this.#lingering.size >= lingeringMax) {
      socket.destroy()
      return
    }
    const { clock, newId } = this.#parts
    this.#lingering.add(socket)
    const cancel = clock.at(clock.now() + lingerMs, () => socket.destroy())
    socket.once('close', () => {
      cancel()
      this.#lingering.delete(socket)
    })
    sendRaw(socket, tooManyConnections, newId(), clock.now(), { linger: true })
    socket.resume()
  }

  close(): void {
    for (const socket of this.#lingering) socket.destroy()
  }
}
