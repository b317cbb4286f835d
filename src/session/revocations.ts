import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { Poll } from '../runtime/poll.ts'
import type { Reader } from '../store/store.ts'

/** Sessions of a suspended key are closed within 2 s: once a second every node looks for revocations. */
const lookEveryMs = 1_000
/** So many rows are read at a time. */
const rowsMax = 500
/** A connect is authenticated before its session is established: revocations of the meantime are remembered so long. */
const rememberedMs = 60_000

interface RevocationParts {
  read: Reader
  clock: Clock
  log: Log
  /** `subjects`: access key ids and ARNs of users. */
  revoked(subjects: ReadonlySet<string>): void
  /** Revocations were missed, because the node could not read them while they were kept: any key may be revoked. */
  missed(): void
}

/** Reads which keys and users have been suspended or deleted since, on any node. */
export class Revocations {
  readonly #parts: RevocationParts
  /** The number of the last revocation that was read; undefined until the first look. */
  #last: number | undefined
  readonly #recent: { subject: string; readAt: number }[] = []
  readonly #poll: Poll

  constructor(parts: RevocationParts) {
    this.#parts = parts
    const { clock, log } = parts
    this.#poll = new Poll({ clock, log, everyMs: lookEveryMs, subject: 'revocations', look: () => this.#read() })
  }

  start(): void {
    void this.#poll.start()
  }

  close(): void {
    this.#poll.close()
  }

  /** Whether one of them was revoked after this time, as far as this node has read. */
  wasRevokedSince(sinceMs: number, subjects: readonly (string | undefined)[]): boolean {
    return this.#recent.some(({ subject, readAt }) => readAt >= sinceMs && subjects.includes(subject))
  }

  async #read(): Promise<void> {
    const { read, clock, revoked, missed } = this.#parts
    this.#forget(clock.now())
    if (this.#last === undefined) {
      const row = await read.get<{ last: number | null }>('SELECT max(number) AS last FROM revocation')
      this.#last = row?.last ?? 0
      return
    }
    const rows = await read.all<{ number: number; subject: string }>(
      'SELECT number, subject FROM revocation WHERE number > $1 ORDER BY number LIMIT $2',
      this.#last,
      rowsMax,
    )
    const [first] = rows
    if (!first || this.#poll.isClosed) return
    const readAt = clock.now()
    this.#recent.push(...rows.map(({ subject }) => ({ subject, readAt })))
    if (first.number > this.#last + 1) missed()
    else revoked(new Set(rows.map(({ subject }) => subject)))
    this.#last = rows.at(-1)!.number
    if (rows.length === rowsMax) await this.#read()
  }

  #forget(now: number): void {
    const kept = this.#recent.findIndex(({ readAt }) => now - readAt < rememberedMs)
    this.#recent.splice(0, kept < 0 ? this.#recent.length : kept)
  }
}
