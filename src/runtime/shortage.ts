import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

/** What a server may run short of. */
export type ShortageKind = 'descriptors' | 'memory' | 'disk' | 'processes' | 'network' | 'functions folder' | 'time'

/** The system's error codes that speak of this machine and never of the other side of a connection. */
const kinds: Record<string, ShortageKind> = {
  EMFILE: 'descriptors',
  ENFILE: 'descriptors',
  ENOMEM: 'memory',
  ENOBUFS: 'memory',
  ENOSPC: 'disk',
  EDQUOT: 'disk',
  EAGAIN: 'processes',
  EAI_AGAIN: 'network',
  EADDRNOTAVAIL: 'network',
  ENETUNREACH: 'network',
  ENETDOWN: 'network',
}

/** How often at most one kind of shortage is written to the log. */
const warnEveryMs = 60_000

/** The server itself lacks something. It says nothing about a processor, and is never a reason for a FallbackAction. */
export class Shortage extends Error {
  readonly kind: ShortageKind

  constructor(kind: ShortageKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Shortage'
    this.kind = kind
  }
}

/** The kind of shortage that an error tells of, or undefined when it tells of something else. */
export function shortageOf(error: unknown): ShortageKind | undefined {
  if (error instanceof Shortage) return error.kind
  return kinds[(error as NodeJS.ErrnoException | undefined)?.code ?? '']
}

/** Counts shortages, remembers when each kind was last seen, and warns once a minute of each. */
export class Shortages {
  readonly #clock: Pick<Clock, 'now'>
  readonly #log: Pick<Log, 'warn'>
  readonly #count: (kind: ShortageKind) => void
  readonly #seenAt = new Map<ShortageKind, number>()
  readonly #warnedAt = new Map<ShortageKind, number>()

  constructor(parts: { clock: Pick<Clock, 'now'>; log: Pick<Log, 'warn'>; count(kind: ShortageKind): void }) {
    this.#clock = parts.clock
    this.#log = parts.log
    this.#count = parts.count
  }

  report(kind: ShortageKind, reason: string): void {
    const now = this.#clock.now()
    this.#count(kind)
    this.#seenAt.set(kind, now)
    if (now - (this.#warnedAt.get(kind) ?? Number.NEGATIVE_INFINITY) < warnEveryMs) return
    this.#warnedAt.set(kind, now)
    this.#log.warn({ kind, reason }, `shortage of ${kind}: work is retried until it is over`)
  }

  /** When this kind was last reported, in milliseconds since the epoch; undefined if never. */
  lastSeenAt(kind: ShortageKind): number | undefined {
    return this.#seenAt.get(kind)
  }
}
