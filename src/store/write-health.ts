/** How long after a write failed the next probe is written. */
export const probeEveryMs = 1_000

interface WriteHealthParts {
  clock: { now(): number; at(atMs: number, wake: () => void): () => void }
  log: { warn(fields: object, text: string): void; info(fields: object, text: string): void }
  /** Writes durably, by the same connection and in the same order as every other write. */
  probe(): Promise<void>
}

/** Whether the disk takes writes. After one that it refused, a probe each second finds out when it takes them again. */
export class WriteHealth {
  readonly #parts: WriteHealthParts
  #failure: string | undefined
  #cancel: () => void = () => {}
  #closed = false

  constructor(parts: WriteHealthParts) {
    this.#parts = parts
  }

  /** Why the last write failed, or undefined if it succeeded. */
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

  /** The disk refused to read or write. */
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
      // How it ends is told by `succeed` and `fail`; after any other error the next probe finds out more.
      await probe().catch(() => {})
      if (this.#failure !== undefined && !this.#closed) this.#probeSoon()
    })
  }
}
