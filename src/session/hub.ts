import type { Bus, Envelope } from '../bus/bus.ts'

/** What the hub asks of a session. */
export interface Subscriber {
  readonly userArn: string
  /** One text frame. The bytes are shared by all who get it. Must not throw. */
  deliver(frame: Buffer): void
}

/** A user with at least one session here. */
interface Listener<S> {
  sessions: Set<S>
  channelArns: Set<string>
}

interface HubParts {
  bus: Bus
  /** The ARNs of the channels whose member the user is, as committed when the answer was made. */
  membershipsOf(userArn: string): Promise<string[]>
}

/**
 * Brings the news of the bus to the sessions it is meant for. A user hears all channels whose member they are, so
 * channels are kept by user: a join costs the same however many sessions the user has.
 */
export class Hub<S extends Subscriber> {
  readonly #membershipsOf: HubParts['membershipsOf']
  readonly #unsubscribe: () => void
  readonly #byUser = new Map<string, Listener<S>>()
  readonly #byChannel = new Map<string, Set<Listener<S>>>()

  constructor({ bus, membershipsOf }: HubParts) {
    this.#membershipsOf = membershipsOf
    this.#unsubscribe = bus.subscribe((envelopes) => {
      for (const envelope of envelopes) this.#deliver(envelope)
    })
  }

  /** For tests and gauges. Both are zero when no session is left. */
  get size(): { users: number; channels: number } {
    return { users: this.#byUser.size, channels: this.#byChannel.size }
  }

  /** The user's sessions, oldest first. */
  sessionsOf(userArn: string): S[] {
    return [...(this.#byUser.get(userArn)?.sessions ?? [])]
  }

  /**
   * Once this resolves, the session misses nothing that is published. It may hear some news before. Rejects when the
   * memberships cannot be read. In any case the session stays until it is removed.
   */
  async register(session: S): Promise<void> {
    const listener = this.#listener(session.userArn)
    // First the user, then the memberships. A join is published after its commit, so one that the read does not see is
    // published after the read began, and finds the user here. The other way round it would find nobody.
    listener.sessions.add(session)
    const channelArns = await this.#membershipsOf(session.userArn)
    // Whoever was removed meanwhile must not leave channels behind.
    if (!listener.sessions.has(session)) return
    for (const channelArn of channelArns) this.#join(listener, channelArn)
  }

  remove(session: S): void {
    const listener = this.#byUser.get(session.userArn)
    if (!listener?.sessions.delete(session) || listener.sessions.size > 0) return
    this.#byUser.delete(session.userArn)
    for (const channelArn of listener.channelArns) this.#leave(listener, channelArn)
  }

  /** Hears nothing from now on. The sessions stay. */
  close(): void {
    this.#unsubscribe()
  }

  #listener(userArn: string): Listener<S> {
    const known = this.#byUser.get(userArn)
    if (known) return known
    const listener: Listener<S> = { sessions: new Set(), channelArns: new Set() }
    this.#byUser.set(userArn, listener)
    return listener
  }

  #join(listener: Listener<S>, channelArn: string): void {
    listener.channelArns.add(channelArn)
    const members = this.#byChannel.get(channelArn)
    if (members) members.add(listener)
    else this.#byChannel.set(channelArn, new Set([listener]))
  }

  #leave(listener: Listener<S>, channelArn: string): void {
    listener.channelArns.delete(channelArn)
    const members = this.#byChannel.get(channelArn)
    if (members?.delete(listener) && members.size === 0) this.#byChannel.delete(channelArn)
  }

  #deliver({ channelArn, audience, joined, closed, frame }: Envelope): void {
    const joining = joined === undefined ? undefined : this.#byUser.get(joined)
    if (joining) this.#join(joining, channelArn)
    let bytes: Buffer | undefined
    for (const listener of this.#audience(channelArn, audience)) {
      bytes ??= Buffer.from(frame)
      for (const session of listener.sessions) session.deliver(bytes)
    }
    if (closed) for (const listener of [...(this.#byChannel.get(channelArn) ?? [])]) this.#leave(listener, channelArn)
  }

  #audience(channelArn: string, audience: Envelope['audience']): Iterable<Listener<S>> {
    if (audience.to === 'users') return this.#listening(new Set(audience.users))
    const members = this.#byChannel.get(channelArn) ?? new Set<Listener<S>>()
    const besides = audience.and === undefined ? undefined : this.#byUser.get(audience.and)
    return besides && !members.has(besides) ? [...members, besides] : members
  }

  *#listening(userArns: Iterable<string>): Generator<Listener<S>> {
    for (const userArn of userArns) {
      const listener = this.#byUser.get(userArn)
      if (listener) yield listener
    }
  }
}
