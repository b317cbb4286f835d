import { type Cancel, type Clock, every } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Store, Transaction } from '../store/store.ts'

/** How long a node counts as alive after it has last said so. Longer than PostgreSQL lets a silent transaction hold locks. */
export const aliveMs = 3_000
/** How often a node says that it is alive, and looks whether others are. What a dead one had is taken within both together. */
const renewEveryMs = 1_000

interface NodeParts {
  store: Store
  clock: Clock
  log: Log
  newId(): string
  /** Sets the clock by the one that all nodes share. */
  followTime?(): Promise<void>
}

/** What follows for the rest of the server. None of it may throw. */
export interface NodeListener {
  /** Steps may have become due that this node has no alarm for. */
  lookForWork(): void
  /** Others were told that this node is gone, so what it has in hand under this id is theirs. */
  lost(nodeId: string): void
  /** Events may have been committed that no session was told of, wherever it is. */
  newsLost(): void
}

/**
 * This process as one of the nodes that share a store. Its steps are leased under its id. If its heartbeat is overdue, the
 * other nodes take it for dead: exactly one of them releases its steps, for any node to lease. A node that was only frozen
 * notices this and registers under a new id; the store rejects what it still writes under the old one.
 */
export class ClusterNode {
  readonly #parts: NodeParts
  #id: string
  #listener: NodeListener | undefined
  #stopRenewing: Cancel = () => {}
  #renewing: Promise<void> | undefined
  /** A write was cut off: perhaps it is done, and nobody here knows. */
  #doubtful = false
  /** Ids of this node under which it may still have something in hand that nobody was given. */
  #formerIds = new Set<string>()
  #renewedAt: number

  constructor(parts: NodeParts) {
    this.#parts = parts
    this.#id = parts.newId()
    this.#renewedAt = parts.clock.now()
  }

  get id(): string {
    return this.#id
  }

  /** How long ago the store last confirmed that this node is alive, in milliseconds. */
  get silentMs(): number {
    return this.#parts.clock.now() - this.#renewedAt
  }

  /** For a store that no other process can use: whoever had something in hand is gone. */
  async startAlone(): Promise<void> {
    const { store, clock } = this.#parts
    await store.transaction((transaction) =>
      transaction.run(
        `UPDATE flow_step SET due_at = $1, owner = '' WHERE owner <> '' AND state IN ('DISPATCHING', 'AWAITING')`,
        clock.now(),
      ),
    )
  }

  /** Joins those that share the store. */
  async start(listener: NodeListener): Promise<void> {
    const { store, clock, followTime } = this.#parts
    this.#listener = listener
    await followTime?.()
    await store.transaction((transaction) => this.#register(transaction))
    this.#renewedAt = clock.now()
    await this.#takeOverTheDead()
    this.#stopRenewing = every(clock, renewEveryMs, () => void this.renew())
  }

  /** Before the start: waits for as long as one that has died may count as alive, and throws if another node is. */
  async requireNoOther(): Promise<void> {
    const { store, clock, followTime } = this.#parts
    await followTime?.()
    const latest = () =>
      store.read.get<{ alive_until: number | null }>('SELECT max(alive_until) AS alive_until FROM node')
    const before = (await latest())?.alive_until ?? 0
    if (before < clock.now()) return
    await new Promise<void>((resolve) => clock.at(before + 1, resolve))
    if (((await latest())?.alive_until ?? 0) < clock.now()) return
    throw new Error(
      'another node is alive on this database: give both CARILLON_NATS_URL, so that each hears what the other does',
    )
  }

  /** The outcome of a write is not known, so this node does not know either what it has in hand. */
  doubt(): void {
    this.#doubtful = true
  }

  /** One at a time: a store that is away keeps it waiting. */
  renew(): Promise<void> {
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  /** Gives back what it has in hand, so that the others need not wait. */
  async close(): Promise<void> {
    if (!this.#listener) return
    this.#stopRenewing()
    await this.#renewing
    const { store, log } = this.#parts
    await store
      .transaction((transaction) => this.#leave(transaction, this.#id))
      .catch((err: unknown) =>
        log.warn({ err }, 'the node could not sign off; the others will notice its missing heartbeat'),
      )
  }

  async #renew(): Promise<void> {
    const { clock, log, followTime } = this.#parts
    try {
      await followTime?.()
      const isNew = this.#formerIds.size > 0
      if (isNew || this.#doubtful || !(await this.#confirm())) await this.#beginAnew()
      this.#renewedAt = clock.now()
      await this.#takeOverTheDead()
      this.#listener?.lookForWork()
    } catch (err) {
      const reason = err instanceof Error ? err.message : String(err)
      log.warn({ reason, silentMs: this.silentMs }, 'heartbeat failed; trying again')
    }
  }

  /** False when another node has taken over what this one had. */
  async #confirm(): Promise<boolean> {
    const { store, clock } = this.#parts
    const aliveUntil = clock.now() + aliveMs
    return (await store.write('UPDATE node SET alive_until = $1 WHERE node_id = $2', aliveUntil, this.#id)) === 1
  }

  async #beginAnew(): Promise<void> {
    const { store, log, newId } = this.#parts
    // First the id: what is accepted from now on is not given back with the rest. One that was chosen before, and not
    // registered because the store was away, is as good as new.
    if (this.#formerIds.size === 0) {
      this.#formerIds.add(this.#id)
      this.#listener?.lost(this.#id)
      this.#id = newId()
    }
    this.#doubtful = false
    await store.transaction(async (transaction) => {
      await this.#register(transaction)
      for (const formerId of this.#formerIds) await this.#leave(transaction, formerId)
    })
    log.warn({ formerIds: [...this.#formerIds], nodeId: this.#id }, 'lease lost; re-registered under a new node id')
    this.#formerIds.clear()
    this.#listener?.newsLost()
  }

  async #takeOverTheDead(): Promise<void> {
    const { store, clock } = this.#parts
    const now = clock.now()
    const sql = 'SELECT node_id FROM node WHERE alive_until < $1 AND node_id <> $2'
    const dead = await store.read.all<{ node_id: string }>(sql, now, this.#id)
    for (const { node_id } of dead) await this.#takeOver(node_id, now)
  }

  async #takeOver(nodeId: string, now: number): Promise<void> {
    const { store, log } = this.#parts
    const steps = await store.transaction(async (transaction) => {
      const gone = await transaction.run('DELETE FROM node WHERE node_id = $1 AND alive_until < $2', nodeId, now)
      return gone === 1 ? giveBack(transaction, nodeId, now) : undefined
    })
    if (steps === undefined) return
    log.warn({ nodeId, steps }, 'a node is gone; its steps are released to the other nodes')
    this.#listener?.newsLost()
  }

  /** Also where it is registered already, by a try whose answer was lost. */
  async #register(transaction: Transaction): Promise<void> {
    await transaction.insertOnce('node', { node_id: this.#id, alive_until: this.#parts.clock.now() + aliveMs })
  }

  async #leave(transaction: Transaction, nodeId: string): Promise<void> {
    await transaction.run('DELETE FROM node WHERE node_id = $1', nodeId)
    await giveBack(transaction, nodeId, this.#parts.clock.now())
  }
}

/** Makes the node's open steps due for whoever comes. Answers how many there were. */
const giveBack = (transaction: Transaction, nodeId: string, now: number): Promise<number> =>
  transaction.run(
    `UPDATE flow_step SET due_at = $1, owner = '' WHERE owner = $2 AND state IN ('DISPATCHING', 'AWAITING')`,
    now,
    nodeId,
  )
