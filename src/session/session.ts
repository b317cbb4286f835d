import type { Duplex } from 'node:stream'
import { frame } from '../events/frame.ts'
import type { Batch } from './batch.ts'
import { closeCode, closeWith } from './close.ts'
import type { FrameFlush, Outlet } from './frame-flush.ts'
import type { Subscriber } from './hub-members.ts'
import type { SessionLimits } from './limits.ts'
import type { Pinged, Pings } from './pings.ts'
import type { SessionSocket, SocketOwner } from './session-socket.ts'
import { textFrame } from './text-frame.ts'

/** What all sessions of a server share. */
export interface SessionParts {
  limits: SessionLimits
  flush: FrameFlush
  pings: Pings
  /** Called once, as soon as nothing more is sent: when closing begins, or when the peer has gone. */
  onEnd(session: Session): void
}

interface SessionConnection {
  userArn: string
  userId: number
  sessionId: string
  /** Open. */
  webSocket: SessionSocket
  /** What `webSocket` writes to. */
  stream: Duplex
}

/**
 * The frames of one turn of the loop may be so many times as much as a reader may leave unread: it could not have read
 * them yet, but a long log that is caught up with in one turn must not fill the memory.
 */
const heldFactor = 4

const sessionEstablished = textFrame(frame('SESSION_ESTABLISHED', 'SYSTEM'))

/**
 * One user's connection. It is opening until it is established and delivers nothing before that; then it delivers what
 * it is given until it has ended. A peer that reads too slowly or answers no pings is let go.
 */
export class Session implements Subscriber, Outlet, Pinged, SocketOwner {
  readonly userArn: string
  readonly userId: number
  readonly sessionId: string
  readonly #webSocket: SessionSocket
  readonly #stream: Duplex
  readonly #parts: SessionParts
  /** Frames given to it. */
  delivered = 0
  batch: Batch | undefined
  #state: 'opening' | 'established' | 'ended' = 'opening'
  #missedPongs = 0
  readonly #pingGroup: number

  constructor({ userArn, userId, sessionId, webSocket, stream }: SessionConnection, parts: SessionParts) {
    this.userArn = userArn
    this.userId = userId
    this.sessionId = sessionId
    this.#webSocket = webSocket
    this.#stream = stream
    this.#parts = parts
    this.#pingGroup = parts.pings.add(this)
    webSocket.owner = this
  }

  /** Until closing begins, from either side. */
  get isOpen(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN
  }

  /** Sends SESSION_ESTABLISHED. Whatever is delivered from now on goes out. */
  establish(): void {
    if (this.#state !== 'opening') return
    this.#state = 'established'
    this.deliver(sessionEstablished)
  }

  /**
   * Takes a whole WebSocket frame, uncompressed, since the bytes are the same for everybody: deflating them anew for each
   * socket took 100 µs a frame. They bypass ws, which would build the header anew for each socket.
   */
  deliver(frame: Buffer): void {
    if (this.#state !== 'established') return
    if (this.#isSlow()) {
      this.close(
        closeCode.tryAgainLater,
        `Slow reader: more than ${this.#waitingBytesMax} bytes were waiting to be read`,
      )
      return
    }
    this.delivered += 1
    this.#parts.flush.add(this, frame)
  }

  /** Called before a close frame leaves. What would follow that breaks the protocol, so it is dropped. */
  flush(): void {
    const { batch } = this
    this.batch = undefined
    if (this.isOpen) batch?.writeTo(this.#stream)
  }

  /**
   * Sends a frame that is for this session alone, and is compressed if the client takes that. Resolves when the frame
   * has left, or never will.
   */
  send(frame: string): Promise<void> {
    this.flush()
    return new Promise((resolve) => this.#webSocket.send(frame, () => resolve()))
  }

  /** A peer that has not answered the last pings is taken for dead. */
  ping(): void {
    if (this.#missedPongs >= this.#parts.limits.missedPongsMax) {
      this.#webSocket.terminate()
      return
    }
    this.#missedPongs += 1
    this.#webSocket.ping()
  }

  close(code: number, reason: string): void {
    if (this.#state === 'ended') return
    this.#end()
    closeWith(this.#webSocket, code, reason)
  }

  userDeleted(): void {
    this.close(closeCode.forbidden, 'The AppInstanceUser was deleted')
  }

  onPong(): void {
    this.#missedPongs = 0
  }

  onClose(): void {
    this.#end()
  }

  #end(): void {
    if (this.#state === 'ended') return
    this.#state = 'ended'
    this.#parts.pings.remove(this, this.#pingGroup)
    this.#parts.onEnd(this)
  }

  /** `bufferedAmount` is a sum that the socket keeps: 23 ns. */
  #isSlow(): boolean {
    return this.#webSocket.bufferedAmount + (this.batch?.byteLength ?? 0) > this.#waitingBytesMax
  }

  get #waitingBytesMax(): number {
    const { bufferedBytesMax } = this.#parts.limits
    return this.batch ? heldFactor * bufferedBytesMax : bufferedBytesMax
  }
}
