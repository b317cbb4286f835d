import { isIPv4, isIPv6 } from 'node:net'
import type { Clock } from './clock.ts'
import type { Log } from './log.ts'

/** The resources that a server may run short of. */
export type ShortageKind = 'descriptors' | 'memory' | 'disk' | 'processes' | 'network' | 'functions folder' | 'time'

/** The system's error codes that concern this machine and never the other side of a connection. */
const kinds: Record<string, ShortageKind> = {
  EMFILE: 'descriptors',
  ENFILE: 'descriptors',
  ENOMEM: 'memory',
  ENOBUFS: 'memory',
  ENOSPC: 'disk',
  EDQUOT: 'disk',
  EAGAIN: 'processes',
  EAI_MEMORY: 'memory',
  EADDRNOTAVAIL: 'network',
  ENETUNREACH: 'network',
  ENETDOWN: 'network',
  EAFNOSUPPORT: 'network',
}

/** Minimum time between two log lines about one kind of shortage. */
const warnEveryMs = 60_000

/** The server itself lacks something. It says nothing about a processor, and never leads to a FallbackAction. */
export class Shortage extends Error {
  readonly kind: ShortageKind

  constructor(kind: ShortageKind, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'Shortage'
    this.kind = kind
  }
}

type SystemError = NodeJS.ErrnoException & { address?: string; errors?: SystemError[]; cause?: SystemError }

/**
 * The kind of shortage that an error reports, or undefined if it is not a shortage. Checks also the errors of all
 * addresses that were tried, and the cause of an error.
 */
export function shortageOf(error: unknown): ShortageKind | undefined {
  if (error instanceof Shortage) return error.kind
  const { code = '', errors, cause, syscall } = (error ?? {}) as Partial<SystemError>
  if (errors) return errors.filter(countsAmong(errors)).map(shortageOf).find(Boolean)
  return kindOf(code, syscall) ?? (cause ? shortageOf(cause) : undefined)
}

/**
 * Codes whose meaning depends on the system call. `getaddrinfo` has one code for a name that does not exist (Node
 * writes ENOTFOUND for EAI_NONAME and EAI_NODATA); with all others nothing is known about the name. A firewall of this
 * machine denies a `connect`.
 */
function kindOf(code: string, syscall: string | undefined): ShortageKind | undefined {
  if (kinds[code]) return kinds[code]
  if (syscall === 'getaddrinfo' && code !== 'ENOTFOUND') return 'network'
  return syscall === 'connect' && ['EACCES', 'EPERM'].includes(code) ? 'network' : undefined
}

/**
 * A machine without IPv6 lacks nothing: if an IPv4 address was tried as well, as for `localhost`, only that one counts.
 * An IPv4 address without a route is a shortage even if the other side refused over IPv6.
 */
const countsAmong = (errors: SystemError[]) => {
  const isIpv4Tried = errors.some(({ address = '' }) => isIPv4(address))
  return ({ code = '', address = '', syscall }: SystemError) =>
    !(isIpv4Tried && isIPv6(address) && kindOf(code, syscall) === 'network')
}

/** Counts shortages, records when each kind was last seen, and warns about each once a minute. */
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
    this.#log.warn({ kind, reason }, `shortage of ${kind}: work is retried until it ends`)
  }

  /** When this kind was last reported, in milliseconds since the epoch; undefined if never. */
  lastSeenAt(kind: ShortageKind): number | undefined {
    return this.#seenAt.get(kind)
  }
}
