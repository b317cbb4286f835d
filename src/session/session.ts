import type { Duplex } from 'node:stream'
import { frame } from '../events/frame.ts'
import type { Key } from '../keys/key.ts'
import type { Batch } from './batch.ts'
import { closeCode, closeWith } from './close.ts'
import type { FrameFlush, Outlet } from './frame-flush.ts'
import type { Subscriber } from './hub-members.ts'
import type { SessionLimits } from './limits.ts'
import type { Pinged, Pings } from './pings.ts'
import type { SessionSocket, SocketOwner } from './session-socket.ts'
import { textFrame } from './text-frame.ts'

/** The parts that all sessions of a server share. */
export interface SessionParts {
  limits: SessionLimits
  flush: FrameFlush
  pings: Pings
  /** Called once, as soon as nothing more is sent: when closing begins, or when the connection has ended. */
  onEnd(session: Session): void
}

/** What a session keeps of the key that opened it. */
export type SessionKey = Pick<Key, 'accessKeyId' | 'parentId' | 'expiresAtMs'>

interface SessionConnection {
  userArn: string
  userId: number
  sessionId: string
  /** The access key of the connect. */
  key: SessionKey
  /** Open. */
  webSocket: SessionSocket
  /** The stream of `webSocket`. */
  stream: Duplex
}

/**
 * The frames of one turn of the event loop may be so many times as large as `bufferedBytesMax`: the reader could not
 * have read them yet, but a long log that is delivered in one turn must not fill the memory.
 */
const batchFactor = 4

const sessionEstablished = textFrame(frame('SESSION_ESTABLISHED', 'SYSTEM'))

/**
 * One connection of a user. It is opening until it is established, and delivers nothing before that; then it delivers
 * frames until it has ended. A peer that reads too slowly or sends no pongs is disconnected.
 */
export class Session implements Subscriber, Outlet, Pinged, SocketOwner {
  readonly userArn: string
  readonly userId: number
  readonly sessionId: string
  readonly key: SessionKey
  readonly #webSocket: SessionSocket
  readonly #stream: Duplex
  readonly #parts: SessionParts
  /** The number of delivered frames. */
  delivered = 0
  batch: Batch | undefined
  #state: 'opening' | 'established' | 'ended' = 'opening'
  #missedPongs = 0
  readonly #pingGroup: number

  constructor({ userArn, userId, sessionId, key, webSocket, stream }: SessionConnection, parts: SessionParts) {
    this.userArn = userArn
    this.userId = userId
    this.sessionId = sessionId
    this.key = key
    this.#webSocket = webSocket
    this.#stream = stream
    this.#parts = parts
    this.#pingGroup = parts.pings.add(this)
    webSocket.owner = this
  }

  /** True until closing begins, from either side. */
  get isOpen(): boolean {
    return this.#webSocket.readyState === this.#webSocket.OPEN
  }

  /** Sends SESSION_ESTABLISHED. All frames that are delivered from now on are sent. */
  establish(): void {
    if (this.#state !== 'opening') return
    this.#state = 'established'
    this.deliver(sessionEstablished)
  }

  /**
   * Delivers a whole WebSocket frame, uncompressed, because the bytes are the same for all recipients: deflating them
   * for each socket took 100 µs a frame. They bypass ws, which would build the header for each socket.
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

  /** Called before a close frame is sent. Frames after that would break the protocol, so they are dropped. */
  flush(): void {
    const { batch } = this
    this.batch = undefined
    if (this.isOpen) batch?.writeTo(this.#stream)
  }

  /**
   * Sends a frame to this session only, compressed if the client supports that. Resolves when the frame was sent, or
   * cannot be sent any more.
   */
  send(frame: string): Promise<void> {
    this.flush()
    return new Promise((resolve) => this.#webSocket.send(frame, () => resolve()))
  }

  /** A peer without pongs to the last pings counts as dead. */
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
    return this.batch ? batchFactor * bufferedBytesMax : bufferedBytesMax
  }
}
