import { strict as assert } from 'node:assert'
import { type Cancel, type Clock, every } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { Store } from '../store/store.ts'

/** The validity of a heartbeat. It is longer than PostgreSQL lets an idle transaction hold locks. */
export const aliveMs = 3_000
/**
 * The period of heartbeats, and of the search for dead nodes. A dead node's steps are taken within both times together.
 */
const renewEveryMs = 1_000

interface NodeParts {
  store: Store
  clock: Clock
  log: Log
  newId(): string
  /** Synchronises the clock with the one that all nodes share. */
  followTime?(): Promise<void>
}

/** The consequences for the rest of the server. No function may throw. */
export interface NodeListener {
  /** Steps may have become due for which this node has no timer, and a dead node may have left steps. */
  lookForWork(): void
  /** Other nodes have deleted this node's row, so they may take the steps that it owned under this id. */
  lost(nodeId: string): void
  /** The outcome of a write is unknown: this node may own steps that are not in its memory. */
  stepsUnknown(): void
  /** Events may have been committed and not published to any node. */
  eventsLost(): void
}

/**
 * This process as one of the nodes that share a store. It owns steps under its id for as long as the id has a row. If
 * its heartbeat is overdue, another node deletes the row, and then any node may take its steps: nothing is written for
 * each of them. A node that was only frozen notices this and registers under a new id; the store rejects its later
 * writes under the old one.
 *
 *                                 no heartbeat for aliveMs, and another node deletes the row
 *   new ──start: registers──► alive ──────────────────────────────────────────────► lost, not noticed yet
 *                             │ ▲ ▲                                                   │
 *                             │ │ └── next heartbeat: registers under a new id, ──────┘
 *                             │ │     then the steps of the former id are dropped
 *                             │ └── heartbeat; looks for the results of writes with an unknown outcome
 *                             └── close: deletes the row ──► left, for good
 *
 * A heartbeat that fails changes nothing: the next one finds out whether the node is alive or lost.
 */
export class ClusterNode {
  readonly #parts: NodeParts
  #id: string
  #listener: NodeListener | undefined
  /** A node that is lost is `joined` too: it does not know. */
  #state: 'new' | 'joined' | 'left' = 'new'
  #stopRenewing: Cancel = () => {}
  #renewing: Promise<void> | undefined
  /** The outcome of a write is unknown. */
  #isUncertain = false
  #renewedAt: number

  constructor(parts: NodeParts) {
    this.#parts = parts
    this.#id = parts.newId()
    this.#renewedAt = parts.clock.now()
  }

  get id(): string {
    return this.#id
  }

  /** The time since the last successful heartbeat, in milliseconds. */
  get silentMs(): number {
    return this.#parts.clock.now() - this.#renewedAt
  }

  /** Joins the nodes that share the store. */
  async start(listener: NodeListener): Promise<void> {
    assert(this.#state === 'new', 'a node joins once')
    const { clock, followTime } = this.#parts
    this.#state = 'joined'
    this.#listener = listener
    await followTime?.()
    await this.#register(this.#id)
    this.#renewedAt = clock.now()
    await this.#deleteDeadNodes()
    this.#stopRenewing = every(clock, renewEveryMs, () => void this.renew())
  }

  /** Before the start: waits for as long as a dead node may count as alive, and throws if another node is alive. */
  async requireNoOther(): Promise<void> {
    assert(this.#state === 'new', 'its own row would be another node')
    const { store, clock, followTime } = this.#parts
    await followTime?.()
    const latest = () =>
      store.read.get<{ alive_until: number | null }>('SELECT max(alive_until) AS alive_until FROM node')
    const before = (await latest())?.alive_until ?? 0
    if (before < clock.now()) return
    await new Promise<void>((resolve) => clock.at(before + 1, resolve))
    if (((await latest())?.alive_until ?? 0) < clock.now()) return
    throw new Error(
      'another node is alive on this database: give both CARILLON_NATS_URL, so that each receives the events of the other',
    )
  }

  /** The outcome of a write is unknown: after the next heartbeat this node looks for its results. */
  markUncertain(): void {
    this.#isUncertain = true
  }

  /** One heartbeat at a time: it waits while the store is away. */
  renew(): Promise<void> {
    assert(this.#state === 'joined', 'a heartbeat would register a node that has left')
    this.#renewing ??= this.#renew().finally(() => {
      this.#renewing = undefined
    })
    return this.#renewing
  }

  /** Deletes this node's row, so that the other nodes need not wait until its heartbeat expires. */
  async close(): Promise<void> {
    if (this.#state === 'new') return
    this.#stopRenewing()
    this.#state = 'left'
    await this.#renewing
    const { store, log } = this.#parts
    await store
      .write('DELETE FROM node WHERE node_id = $1', this.#id)
      .catch((err: unknown) =>
        log.warn({ err }, 'deregistering this node failed; other nodes take its steps when its heartbeat expires'),
      )
  }

  async #renew(): Promise<void> {
    const { clock, log, followTime } = this.#parts
    try {
      await followTime?.()
      if (!(await this.#confirm())) await this.#reregister()
      this.#renewedAt = clock.now()
      if (this.#isUncertain) this.#lookForUnknown()
      await this.#deleteDeadNodes()
      this.#listener?.lookForWork()
    } catch (err) {
      const reason = err instanceof Error ? err.message : String(err)
      log.warn({ reason, silentMs: this.silentMs }, 'heartbeat failed; trying again')
    }
  }

  /** False if another node has deleted this node's row. */
  async #confirm(): Promise<boolean> {
    const { store, clock } = this.#parts
    const aliveUntil = clock.now() + aliveMs
    return (await store.write('UPDATE node SET alive_until = $1 WHERE node_id = $2', aliveUntil, this.#id)) === 1
  }

  /** Registers first, because any node may take the steps of an id without a row. */
  async #reregister(): Promise<void> {
    const { log, newId } = this.#parts
    const id = newId()
    const formerId = this.#id
    assert(id !== formerId, 'any node may take the steps of an id that was lost')
    await this.#register(id)
    this.#id = id
    this.#listener?.lost(formerId)
    this.#listener?.eventsLost()
    log.warn({ formerId, nodeId: id }, 'lease lost: re-registered under a new node id')
  }

  #lookForUnknown(): void {
    this.#isUncertain = false
    this.#listener?.stepsUnknown()
    this.#listener?.eventsLost()
  }

  /** Deleting the row is enough: any node may take the steps of a node without a row. */
  async #deleteDeadNodes(): Promise<void> {
    const { store, clock } = this.#parts
    const now = clock.now()
    const sql = 'SELECT node_id FROM node WHERE alive_until < $1 AND node_id <> $2'
    const dead = await store.read.all<{ node_id: string }>(sql, now, this.#id)
    for (const { node_id } of dead) await this.#deleteDeadNode(node_id, now)
  }

  async #deleteDeadNode(nodeId: string, now: number): Promise<void> {
    const { store, log } = this.#parts
    const sql = 'DELETE FROM node WHERE node_id = $1 AND alive_until < $2'
    // Only one of several nodes deletes the row.
    if ((await store.write(sql, nodeId, now)) !== 1) return
    log.warn({ nodeId }, 'node is dead; other nodes take its steps')
    this.#listener?.eventsLost()
  }

  /** Succeeds also if the id is registered already, by a try whose response was lost. */
  async #register(id: string): Promise<void> {
    const { store, clock } = this.#parts
    const row = { node_id: id, alive_until: clock.now() + aliveMs }
    await store.transaction((transaction) => transaction.insertOnce('node', row))
  }
}
