import assert from 'node:assert/strict'
import { randomBytes, randomUUID } from 'node:crypto'
import { suite, type TestContext, test } from 'node:test'
import { MessageIds } from '../../src/api/channel-messages/message-ids.ts'
import type { Context } from '../../src/api/context.ts'
import { operations } from '../../src/api/index.ts'
import { dayMs } from '../../src/api/times.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { shardOf } from '../../src/store/shards.ts'
import type { Store } from '../../src/store/store.ts'
import type { WorkKind } from '../../src/store/work.ts'
import type { Kind } from '../../src/upkeep/kind.ts'
import { createKinds } from '../../src/upkeep/kinds.ts'
import { Upkeep } from '../../src/upkeep/upkeep.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { noPostgres } from '../support/postgres-server.ts'
import { createDatabaseFor } from '../support/postgres-store.ts'
import { awsLocation, heldMessage, plainMessage } from '../support/rows.ts'
import { createStoreFile } from '../support/store-file.ts'

/*
 * Background work on a store, without a server: operations are called as the server calls them, and pieces run when a
 * test requests them.
 */

/** A test on each engine. */
export function onBothEngines(name: string, prove: (world: World) => Promise<void>): void {
  test(`SQLite: ${name}`, async (context) => {
    const file = await createStoreFile(context)
    await prove(await World.open(context, () => file.open()))
  })
  onPostgres(name, async (context) => {
    const database = await createDatabaseFor(context)
    await prove(await World.open(context, () => database.open()))
  })
}

/** For tests with two nodes. `second` opens the store of the other one. */
export function onTwoNodes(name: string, prove: (world: World, second: Store) => Promise<void>): void {
  onPostgres(name, async (context) => {
    const database = await createDatabaseFor(context)
    await prove(await World.open(context, () => database.open()), await database.open())
  })
}

function onPostgres(name: string, prove: (context: TestContext) => Promise<void>): void {
  suite('on PostgreSQL', { skip: noPostgres }, () => {
    test(`PostgreSQL: ${name}`, prove)
  })
}

// biome-ignore lint/suspicious/noExplicitAny: the response of any operation
type Answer = any

export class World {
  readonly store: Store
  readonly clock = new ManualClock()
  readonly #context: TestContext
  readonly failures: object[] = []
  /** Users whose sessions were to be closed. */
  readonly closed: string[] = []
  readonly #kinds = createKinds((userArn) => this.closed.push(userArn))
  appInstanceArn = ''

  private constructor(context: TestContext, store: Store) {
    this.#context = context
    this.store = store
  }

  /** An AppInstance with the users ana, ben and cleo. */
  static async open(context: TestContext, openStore: () => Promise<Store>): Promise<World> {
    const world = new World(context, await openStore())
    const { AppInstanceArn } = await world.call('CreateAppInstance', { Name: 'Tests' })
    world.appInstanceArn = AppInstanceArn
    for (const id of ['ana', 'ben', 'cleo']) await world.createUser(id)
    context.after(() => assert.deepEqual(world.failures, []))
    return world
  }

  /** The response of an operation. */
  call(name: string, input: object, store = this.store): Promise<Answer> {
    const operation = operations.find((one) => one.name === name)
    assert.ok(operation, `there is an operation ${name}`)
    const context = {
      operation,
      store,
      read: store.read,
      location: awsLocation,
      now: this.clock.now,
      newId: randomUUID,
      messageIds: new MessageIds(randomBytes(32), Math.random),
      tokenKey: 'key',
      log: silentLog,
      credentials: { accessKeyId: 'key' },
      admission: { run: (_channel: string, _flow: unknown, send: () => Promise<unknown>) => send() },
      transientTokens: { find: () => undefined },
    } as unknown as Context
    return operation.invoke(input, context)
  }

  user(id: string): string {
    return `${this.appInstanceArn}/user/${id}`
  }

  channel(id: string): string {
    return `${this.appInstanceArn}/channel/${id}`
  }

  async createUser(id: string, input: object = {}): Promise<string> {
    const AppInstanceArn = this.appInstanceArn
    await this.call('CreateAppInstanceUser', { AppInstanceArn, AppInstanceUserId: id, Name: id, ...input })
    return this.user(id)
  }

  /** A channel of ana, with the member ben. */
  async createChannel(ChannelId: string, input: object = {}): Promise<string> {
    const AppInstanceArn = this.appInstanceArn
    const [ChimeBearer, ben] = [this.user('ana'), this.user('ben')]
    const channel = { AppInstanceArn, ChimeBearer, ChannelId, Name: ChannelId, MemberArns: [ben], ...input }
    return (await this.call('CreateChannel', channel)).ChannelArn
  }

  deleteChannel(id: string): Promise<void> {
    return this.call('DeleteChannel', { ChannelArn: this.channel(id), ChimeBearer: this.user('ana') })
  }

  /** The number of the channel's latest incarnation. */
  async channelId(id: string): Promise<number> {
    const text = 'SELECT max(channel_id) AS channel_id FROM channel_head WHERE channel_arn = $1'
    return (await this.store.read.get<{ channel_id: number }>(text, this.channel(id)))!.channel_id
  }

  async userId(id: string): Promise<number> {
    const text = 'SELECT max(user_id) AS user_id FROM app_instance_user WHERE app_instance_user_arn = $1'
    return (await this.store.read.get<{ user_id: number }>(text, this.user(id)))!.user_id
  }

  /** Messages of ana to the channel, held ones if there is a flow. Returns the outcome of each. */
  async fill(id: string, count: number, { held = false, sender = 'ana' } = {}): Promise<string[]> {
    const [channel_id, sender_id] = [await this.channelId(id), await this.userId(sender)]
    const now = this.clock.now()
    const given = { channel_id, channel_arn: this.channel(id), sender_id, sender_arn: this.user(sender) }
    const outcomes = Array.from({ length: count }, () => {
      const row = { ...given, created_at: now, updated_at: now }
      const step = { shard: shardOf(channel_id) }
      const message = held ? heldMessage(row, undefined, { deadlineMs: 100 * dayMs, step }) : plainMessage(row)
      return this.store.commit(message)
    })
    return (await Promise.all(outcomes)).map(({ result }) => result)
  }

  send(id: string, input: object = {}): Promise<Answer> {
    const message = { Content: 'hello', Type: 'STANDARD', Persistence: 'PERSISTENT' }
    const ChannelArn = this.channel(id)
    return this.call('SendChannelMessage', { ChannelArn, ChimeBearer: this.user('ana'), ...message, ...input })
  }

  async count(table: string, where = '1 = 1', ...values: (string | number)[]): Promise<number> {
    const text = `SELECT count(*) AS count FROM ${table} WHERE ${where}`
    return (await this.store.read.get<{ count: number }>(text, ...values))!.count
  }

  /** A node's background work. An error that it logs fails the test. */
  upkeep({
    id = 'node-1',
    store = this.store,
    only = this.#kinds,
  }: {
    id?: string
    store?: Store
    only?: readonly Kind[]
  } = {}) {
    const error = (fields: object) => void this.failures.push(fields)
    const log = { ...silentLog, error }
    const upkeep = new Upkeep({ store, node: { id }, clock: this.clock, log, kinds: only, elapsedMs: () => 0 })
    this.#context.after(() => upkeep.close())
    return upkeep
  }

  /** Does all due work. */
  look(): Promise<void> {
    return this.upkeep().look()
  }

  /** A node that stops after so many pieces of this kind, in the middle of the work. */
  async lookUntil(kind: WorkKind, pieces: number, node: { id?: string; store?: Store } = {}): Promise<void> {
    let left = pieces
    const counting = this.#kinds.map((one): Kind => {
      if (one.kind !== kind) return one
      return {
        ...one,
        piece: async (...piece) => {
          const end = await one.piece(...piece)
          left -= 1
          if (left === 0) void upkeep.close()
          return end
        },
      }
    })
    const upkeep = this.upkeep({ ...node, only: counting })
    await upkeep.look()
    assert.equal(left, 0, `there are ${pieces} pieces of ${kind} at least`)
  }

  /** The owners of work, by kind and subject. */
  async owners(kind: WorkKind): Promise<string[]> {
    const rows = await this.store.read.all<{ owner: string }>('SELECT owner FROM work WHERE kind = $1', kind)
    return rows.map(({ owner }) => owner)
  }

  /** A node that counts as alive until its row is deleted. */
  async register(nodeId: string): Promise<() => Promise<unknown>> {
    await this.store.write('INSERT INTO node VALUES ($1, $2)', nodeId, Number.MAX_SAFE_INTEGER)
    return () => this.store.write('DELETE FROM node WHERE node_id = $1', nodeId)
  }
}
