import { WebSocket } from 'ws'
import { closeCode } from './close.ts'

/** The server's listener for all its sockets. */
export interface SocketWatch {
  /** `code` is the one that this side sent, if it sent one. */
  onClose(socket: SessionSocket, code: number): void
  onError(error: Error): void
}

/** A session, as the listener of its socket. */
export interface SocketOwner {
  onPong(): void
  onClose(): void
  /** Writes the frames that must precede a close frame. */
  flush(): void
}

/**
 * The WebSocket of a session. All sockets share their listeners: with closures for each, an idle session took 300 bytes
 * more, and 2 KB more if they kept its upgrade request in memory.
 */
export class SessionSocket extends WebSocket {
  owner: SocketOwner | undefined
  #watch: SocketWatch | undefined
  /** The code of this side's close frame. A slow reader never responds to it, and `close` then reports 1006. */
  #sentCode: number | undefined

  /** Call it once, before anything else. */
  watchBy(watch: SocketWatch): void {
    this.#watch = watch
    this.on('error', this.#onError)
    this.on('close', this.#onClose)
    this.on('pong', this.#onPong)
  }

  /** Also called by ws: to respond to the other's close frame, and, with the bare code, if a peer sends too much. */
  override close(code?: number, reason?: string | Buffer): void {
    this.#sentCode ??= code
    this.owner?.flush()
    super.close(code, reason ?? (code === closeCode.messageTooBig ? 'Sessions only receive: send nothing' : undefined))
  }

  #onError(error: Error): void {
    this.#watch?.onError(error)
  }

  #onClose(code: number): void {
    this.#watch?.onClose(this, this.#sentCode ?? code)
    this.owner?.onClose()
  }

  #onPong(): void {
    this.owner?.onPong()
  }
}
