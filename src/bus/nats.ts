import { setImmediate } from 'node:timers/promises'
import { connect, type Msg, type NatsConnection, type Subscription as NatsSubscription } from '@nats-io/transport-node'
import { type Cancel, type Clock, every } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Bus, Envelope, Listener, Subscription } from './bus.ts'
import { memoryBus } from './memory.ts'
import { connectionOptions, type NatsServers, shown } from './nats-options.ts'
import { type Notice, Receipts } from './nats-receipts.ts'
import { type BusMessage, decodeMessage, encodeMessage, Subjects, type WireRelease } from './nats-wire.ts'

/**
 * Servers of a NATS cluster may lose their connection to each other, and messages with it, while their clients notice
 * nothing. Sessions receive lost events after this time at the latest.
 */
const catchUpEveryMs = 30_000
/** Time limit of a close for the server to confirm all publishes. */
const closeMsMax = 2_000

export interface NatsBusParts {
  nats: NatsServers
  /** All subjects begin with it. Nodes of one store have the same prefix, other users of this NATS another one. */
  prefix: string
  /** The name of this node in NATS's own monitoring. */
  nodeName: string
  /** For tests: what it publishes looks like messages of another release. */
  wireRelease?: WireRelease | undefined
  clock: Clock
  log: Log
}

/** Connects, or rejects with one line that says why not. A connection that breaks later is restored by itself. */
export async function connectNatsBus(parts: NatsBusParts): Promise<Bus> {
  const { nats, prefix, nodeName } = parts
  const subjects = new Subjects(prefix)
  try {
    const connection = await connect(connectionOptions(nats, nodeName))
    const bus = new NatsBus(connection, subjects, parts)
    try {
      await bus.checkPermissions()
    } catch (error) {
      await bus.close()
      throw error
    }
    return bus
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new Error(`NATS at ${shown(nats.servers)} cannot be used: ${reason}`, { cause: error })
  }
}

/**
 * The bus of many nodes, over NATS core. Listeners of this node receive its own events directly, as from the bus in
 * memory. If a publish may have been lost because the connection broke, the node announces the log position afterwards.
 *
 *                          disconnect: what is not confirmed counts as lost
 *      ┌─ publish: sent ─┐    ┌────────────────────────────────────────┐    ┌─ publish: counts as lost ─┐
 *      └──────────► connected ◄────────────────────────────────────────  away ◄─────────────────────────┘
 *                     │        reconnect, flush: listeners catch up,     │  └── the client gives up: away for good
 *                     │        and what was lost is announced            │
 *                     └────────────────────► closed ◄────────────────────┘
 *
 * While it is connected, one flush at a time asks the server whether it has what was sent (Receipts). If it does not
 * say so, or if too much is unconfirmed, a publish counts as lost, too, and is announced after the next flush that
 * succeeds.
 */
class NatsBus implements Bus {
  readonly #connection: NatsConnection
  readonly #subjects: Subjects
  readonly #clock: Clock
  readonly #log: Log
  readonly #wireRelease: WireRelease | undefined
  readonly #local = memoryBus()
  readonly #receipts = new Receipts()
  readonly #cancelCatchUp: Cancel
  #connected = true
  #closed = false
  #confirming = false
  #flushing: Promise<void> | undefined
  #rejection: Error | undefined
  /** Before the permissions are checked, a rejection makes the start fail, whose error has the reason. */
  #isChecked = false

  constructor(connection: NatsConnection, subjects: Subjects, { clock, log, wireRelease }: NatsBusParts) {
    this.#connection = connection
    this.#subjects = subjects
    this.#clock = clock
    this.#log = log
    this.#wireRelease = wireRelease
    this.#cancelCatchUp = every(clock, catchUpEveryMs, () => this.#local.announceCatchUp())
    this.#subscribe(subjects.allNodes, () => this.#local.announceCatchUp())
    void this.#followStatus()
  }

  get connected(): boolean {
    return this.#connected
  }

  /** Rejects if the server does not let this user publish and subscribe. */
  async checkPermissions(): Promise<void> {
    this.#connection.publish(this.#subjects.trial)
    await this.#connection.flush()
    // The server's rejection was read by now; the status iterator reports it in the next turn of the event loop.
    await setImmediate()
    if (this.#rejection) throw this.#rejection
    this.#isChecked = true
  }

  publish(envelopes: readonly Envelope[]): void {
    this.#local.publish(envelopes)
    for (const envelope of envelopes) this.#publishEvent(envelope)
  }

  announceChange(userArn: string): void {
    this.#local.announceChange(userArn)
    const notice: Notice = { subject: this.#subjects.user(userArn), message: { kind: 'changed', userArn } }
    this.#send(notice.subject, notice.message, notice)
  }

  announceCatchUp(): void {
    this.#local.announceCatchUp()
    this.#announceToOthers()
  }

  listen(listener: Listener): Subscription {
    const local = this.#local.listen(listener)
    const subscriptions = new Map<string, NatsSubscription>()
    const add = (subject: string) => {
      subscriptions.set(
        subject,
        this.#subscribe(subject, (message) => dispatch(message, listener)),
      )
      return this.#confirmSubscription()
    }
    const remove = (subject: string) => {
      subscriptions.get(subject)?.unsubscribe()
      subscriptions.delete(subject)
    }
    return {
      addChannel: (channelId) => add(this.#subjects.channel(channelId)),
      removeChannel: (channelId) => remove(this.#subjects.channel(channelId)),
      addUser: (userArn) => add(this.#subjects.user(userArn)),
      removeUser: (userArn) => remove(this.#subjects.user(userArn)),
      close: () => {
        local.close()
        for (const subject of [...subscriptions.keys()]) remove(subject)
      },
    }
  }

  async close(): Promise<void> {
    this.#closed = true
    this.#cancelCatchUp()
    await this.#local.close()
    if (this.#connected) await this.#within(closeMsMax, this.#flush())
    this.#connected = false
    await this.#connection.close()
  }

  /** An error in a callback of the client would end its reading for good. */
  #subscribe(subject: string, receive: (message: BusMessage) => void): NatsSubscription {
    const callback = (error: Error | null, raw: Msg) => {
      // The status reports a rejection, too.
      if (error) return
      try {
        const message = decodeMessage(raw.string(), this.#wireRelease)
        if (message) receive(message)
      } catch (reason) {
        this.#log.error({ err: reason, subject }, 'ignored a malformed message from NATS')
      }
    }
    return this.#connection.subscribe(subject, { callback })
  }

  #publishEvent(envelope: Envelope): void {
    const { channelId, channelArn, seq, joins = [] } = envelope
    const subject = this.#subjects.channel(channelId)
    const notice: Notice | undefined =
      seq === undefined ? undefined : { subject, message: { kind: 'reached', channelId, channelArn, seq } }
    this.#send(subject, { kind: 'event', envelope }, notice)
    if (seq === undefined) return
    for (const userArn of joins) {
      const message = { kind: 'joined', userArn, channelId, channelArn, seq } as const
      const join: Notice = { subject: this.#subjects.user(userArn), message }
      this.#send(join.subject, join.message, join)
    }
  }

  #send(subject: string, message: BusMessage, notice: Notice | undefined): void {
    // The client would buffer unsent messages without a limit.
    if (!this.#connected || this.#receipts.isFull) {
      this.#receipts.lost(notice)
      return
    }
    const bytes = Buffer.from(encodeMessage(message, this.#wireRelease))
    if (bytes.length > (this.#connection.info?.max_payload ?? Number.POSITIVE_INFINITY)) {
      this.#log.warn(
        { subject, bytes: bytes.length },
        'event exceeds the NATS payload limit; nodes read it from the log',
      )
      if (notice && notice.message !== message) this.#send(subject, notice.message, notice)
      return
    }
    try {
      this.#connection.publish(subject, bytes)
      this.#receipts.sent(notice, bytes.length)
      void this.#confirm()
    } catch (error) {
      this.#log.warn({ err: error }, 'publish to NATS failed; nodes read the event from the log later')
      this.#receipts.lost(notice)
    }
  }

  /** Has the server confirm all publishes, one flush at a time. */
  async #confirm(): Promise<void> {
    if (this.#confirming) return
    this.#confirming = true
    // One flush confirms all publishes of this turn of the event loop.
    await setImmediate()
    for (let confirm = this.#receipts.ask(); confirm; confirm = this.#receipts.ask()) {
      if (!(await this.#flush())) break
      confirm()
    }
    this.#confirming = false
    if (this.#connected && this.#receipts.hasLost) this.#announceLost()
  }

  /** Returns whether the server has received all publishes. */
  async #flush(): Promise<boolean> {
    try {
      await this.#connection.flush()
      return true
    } catch {
      return false
    }
  }

  /** Calls in the same turn share one flush. After a broken connection, catching up replaces it. */
  #confirmSubscription(): Promise<void> | undefined {
    if (!this.#connected) return undefined
    this.#flushing ??= setImmediate().then(async () => {
      this.#flushing = undefined
      await this.#flush()
    })
    return this.#flushing
  }

  #announceLost(): void {
    const lost = this.#receipts.takeLost()
    if (lost === 'too many') this.#announceToOthers()
    else for (const notice of lost) this.#send(notice.subject, notice.message, notice)
  }

  #announceToOthers(): void {
    const notice: Notice = { subject: this.#subjects.allNodes, message: { kind: 'catch up' } }
    this.#send(notice.subject, notice.message, notice)
  }

  async #followStatus(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === 'disconnect') this.#disconnected(status.server)
      if (status.type === 'reconnect') void this.#reconnected(status.server)
      if (status.type === 'error') this.#rejected(status.error)
    }
    if (this.#closed) return
    this.#connected = false
    this.#log.error({}, 'the NATS client has given up: restart this node, since it receives no events of other nodes')
  }

  /** A server that rejects a user does so at every attempt; the log has it once. */
  #rejected(error: Error): void {
    if (this.#rejection?.message === error.message) return
    this.#rejection = error
    if (this.#isChecked) this.#log.error({ err: error }, 'rejected by NATS')
  }

  #disconnected(server: string): void {
    if (!this.#connected) return
    this.#connected = false
    this.#receipts.loseAll()
    this.#log.warn({ server }, 'disconnected from NATS: events of this node reach other nodes late')
  }

  /** The client has resubscribed. Once that is active, all missed events are in the log. */
  async #reconnected(server: string): Promise<void> {
    this.#connected = true
    this.#rejection = undefined
    this.#log.info({ server }, 'reconnected to NATS')
    if (!(await this.#flush())) return
    this.#local.announceCatchUp()
    this.#announceLost()
  }

  async #within(waitMs: number, done: Promise<unknown>): Promise<void> {
    const timeout = Promise.withResolvers<void>()
    const cancel = this.#clock.at(this.#clock.now() + waitMs, () => timeout.resolve())
    await Promise.race([done, timeout.promise])
    cancel()
  }
}

function dispatch(message: BusMessage, listener: Listener): void {
  if (message.kind === 'event') listener.deliver([message.envelope])
  else if (message.kind === 'reached') listener.reached(message, message.seq)
  else if (message.kind === 'joined') listener.joined(message.userArn, message, message.seq)
  else if (message.kind === 'changed') listener.changed(message.userArn)
  else listener.catchUp()
}
