import { type Cancel, type Clock, every } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Store } from '../store/store.ts'

/** How long a node counts as alive after it has last said so. Longer than PostgreSQL lets a silent transaction hold locks. */
export const aliveMs = 3_000
/** How often a node says that it is alive, and looks whether others are. A dead one's steps are taken within both together. */
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
  /** Steps may have become due that this node has no alarm for, and a node may have left orphans. */
  lookForWork(): void
  /** Others were told that this node is gone, so the steps that it owned under this id are theirs. */
  lost(nodeId: string): void
  /** The outcome of a write is not known: this node may own steps that it does not know of. */
  stepsUnknown(): void
  /** Events may have been committed that no session was told of, wherever it is. */
  newsLost(): void
}

/**
 * This process as one of the nodes that share a store. It owns steps under its id for as long as the id has a row. If its
 * heartbeat is overdue, another node deletes the row, and by that alone any node may take its steps: nothing is written for
 * each of them. A node that was only frozen notices this and registers under a new id; the store rejects what it still
 * writes under the old one.
 */
export class ClusterNode {
  readonly #parts: NodeParts
  #id: string
  #listener: NodeListener | undefined
  #stopRenewing: Cancel = () => {}
  #renewing: Promise<void> | undefined
  /** The outcome of a write is not known. */
  #doubtful = false
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

  /** Joins those that share the store. */
  async start(listener: NodeListener): Promise<void> {
    const { clock, followTime } = this.#parts
    this.#listener = listener
    await followTime?.()
    await this.#register(this.#id)
    this.#renewedAt = clock.now()
    await this.#deleteTheDead()
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

  /** The outcome of a write is not known: after the next heartbeat this node looks for what it brought. */
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

  /** Signs off, so that the others need not wait to take its steps. */
  async close(): Promise<void> {
    if (!this.#listener) return
    this.#stopRenewing()
    await this.#renewing
    const { store, log } = this.#parts
    await store
      .write('DELETE FROM node WHERE node_id = $1', this.#id)
      .catch((err: unknown) =>
        log.warn({ err }, 'the node could not sign off; the others will notice its missing heartbeat'),
      )
  }

  async #renew(): Promise<void> {
    const { clock, log, followTime } = this.#parts
    try {
      await followTime?.()
      if (!(await this.#confirm())) await this.#beginAnew()
      this.#renewedAt = clock.now()
      if (this.#doubtful) this.#lookForUnknown()
      await this.#deleteTheDead()
      this.#listener?.lookForWork()
    } catch (err) {
      const reason = err instanceof Error ? err.message : String(err)
      log.warn({ reason, silentMs: this.silentMs }, 'heartbeat failed; trying again')
    }
  }

  /** False when another node has taken this one for dead. */
  async #confirm(): Promise<boolean> {
    const { store, clock } = this.#parts
    const aliveUntil = clock.now() + aliveMs
    return (await store.write('UPDATE node SET alive_until = $1 WHERE node_id = $2', aliveUntil, this.#id)) === 1
  }

  /** Registers first: steps of an id without a row are anybody's. */
  async #beginAnew(): Promise<void> {
    const { log, newId } = this.#parts
    const id = newId()
    await this.#register(id)
    const formerId = this.#id
    this.#id = id
    this.#listener?.lost(formerId)
    this.#listener?.newsLost()
    log.warn({ formerId, nodeId: id }, 'lease lost: re-registered under a new node id')
  }

  #lookForUnknown(): void {
    this.#doubtful = false
    this.#listener?.stepsUnknown()
    this.#listener?.newsLost()
  }

  /** The steps of a node without a row are free by that alone. */
  async #deleteTheDead(): Promise<void> {
    const { store, clock } = this.#parts
    const now = clock.now()
    const sql = 'SELECT node_id FROM node WHERE alive_until < $1 AND node_id <> $2'
    const dead = await store.read.all<{ node_id: string }>(sql, now, this.#id)
    for (const { node_id } of dead) await this.#deleteDead(node_id, now)
  }

  async #deleteDead(nodeId: string, now: number): Promise<void> {
    const { store, log } = this.#parts
    const sql = 'DELETE FROM node WHERE node_id = $1 AND alive_until < $2'
    // Of several nodes one deletes the row.
    if ((await store.write(sql, nodeId, now)) !== 1) return
    log.warn({ nodeId }, 'a node is gone; the other nodes take its steps')
    this.#listener?.newsLost()
  }

  /** Also where it is registered already, by a try whose answer was lost. */
  async #register(id: string): Promise<void> {
    const { store, clock } = this.#parts
    const row = { node_id: id, alive_until: clock.now() + aliveMs }
    await store.transaction((transaction) => transaction.insertOnce('node', row))
  }
}
