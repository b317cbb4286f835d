/** The pause between a failed write and the next probe. */
export const probeEveryMs = 1_000

interface WriteHealthParts {
  clock: { now(): number; at(atMs: number, wake: () => void): () => void }
  log: { warn(fields: object, text: string): void; info(fields: object, text: string): void }
  /** Writes durably, on the same connection and in the same queue as all other writes. */
  probe(): Promise<void>
}

/** Whether the disk accepts writes. After a failed write, one probe each second checks whether it accepts them again. */
export class WriteHealth {
  readonly #parts: WriteHealthParts
  #failure: string | undefined
  #cancel: () => void = () => {}
  #closed = false

  constructor(parts: WriteHealthParts) {
    this.#parts = parts
  }

  /** The reason of the failure of the last write; undefined if it succeeded. */
  get failure(): string | undefined {
    return this.#failure
  }

  close(): void {
    this.#closed = true
    this.#cancel()
  }

  /** A write is on disk. */
  succeed(): void {
    if (this.#failure === undefined) return
    this.#failure = undefined
    this.#cancel()
    this.#parts.log.info({}, 'the store writes again')
  }

  /** A write failed, or will fail. */
  fail(reason: string): void {
    const isNew = this.#failure === undefined
    this.#failure = reason
    if (!isNew || this.#closed) return
    this.#parts.log.warn({ reason }, 'the store cannot write: calls get 503 until it can')
    this.#probeSoon()
  }

  #probeSoon(): void {
    const { clock, probe } = this.#parts
    this.#cancel = clock.at(clock.now() + probeEveryMs, async () => {
      // The store calls `succeed` or `fail`. After any other error, such as a lock, the next probe decides.
      await probe().catch(() => {})
      if (this.#failure !== undefined && !this.#closed) this.#probeSoon()
    })
  }
}
