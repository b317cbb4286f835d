import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, type TestContext, test } from 'node:test'
import { Client } from 'pg'
import { CreateChannelMembership } from '../../../src/api/channel-memberships/CreateChannelMembership.ts'
import { CreateChannel } from '../../../src/api/channels/CreateChannel.ts'
import { DeleteChannel } from '../../../src/api/channels/DeleteChannel.ts'
import type { Context } from '../../../src/api/context.ts'
import type { Operation, OperationFacts } from '../../../src/contract/operation.ts'
import type { Store, Transaction } from '../../../src/store/store.ts'
import { aroundStore } from '../../support/around-store.ts'
import { noPostgres } from '../../support/postgres-server.ts'
import { createDatabaseFor } from '../../support/postgres-store.ts'
import { ana, ben, channel, ghost, insertUser, numberOf, plainMessage, user } from '../../support/rows.ts'
import { createStoreFile } from '../../support/store-file.ts'

/*
 * Calls that meet in the middle: a test lets one go on when the other has come to a place that it chooses.
 */

const lounge = channel('lounge')
const AppInstanceArn = lounge.slice(0, lounge.indexOf('/channel/'))
const rejected = { code: 'Forbidden' }

const call = (operation: Operation<Context>, store: Store, input: object) =>
  operation.invoke(input, contextOn(store, operation))

const contextOn = (store: Store, operation: OperationFacts) =>
  ({
    operation,
    store,
    read: store.read,
    now: () => 1_000,
    newId: randomUUID,
    credentials: { accessKeyId: 'key' },
  }) as unknown as Context

const create = (store: Store, ChimeBearer: string, MemberArns?: string[]) =>
  call(CreateChannel, store, { ChimeBearer, AppInstanceArn, Name: 'Lounge', ChannelId: 'lounge', MemberArns })
const remove = (store: Store) => call(DeleteChannel, store, { ChannelArn: lounge, ChimeBearer: ana })

async function addPeople(store: Store): Promise<void> {
  await store.transaction(async (transaction) => {
    const times = { created_at: 0, updated_at: 0 }
    await transaction.insert('app_instance', { app_instance_arn: AppInstanceArn, name: '""', users: 3, ...times })
    for (const arn of [ana, ben, ghost]) await insertUser(transaction, arn)
  })
}

/** `reached` resolves when the transaction has done its work; it is committed after `goOn`. */
function pausedBeforeCommit(store: Store) {
  const [reached, paused] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
  const slow = aroundStore(store, {
    transaction: (work) =>
      store.transaction(async (transaction) => {
        const result = await work(transaction)
        reached.resolve()
        await paused.promise
        return result
      }),
  })
  return { store: slow, reached: reached.promise, goOn: paused.resolve }
}

suite('a channel that is deleted between the check of the roles and the transaction', () => {
  /** Deletes the channel before the next transaction. */
  const deletedFirst = (store: Store): Store =>
    aroundStore(store, {
      transaction: async (work) => {
        await remove(store)
        return store.transaction(work)
      },
    })

  const openLounge = async (context: TestContext) => {
    const store = await (await createStoreFile(context)).open()
    await addPeople(store)
    await create(store, ana)
    return store
  }

  test('takes no member', async (context) => {
    const store = await openLounge(context)
    const input = { ChannelArn: lounge, ChimeBearer: ana, MemberArn: ben, Type: 'DEFAULT' }
    await assert.rejects(call(CreateChannelMembership, deletedFirst(store), input), rejected)
  })

  test('is not deleted once more', async (context) => {
    const store = await openLounge(context)
    await assert.rejects(remove(deletedFirst(store)), rejected)
  })
})

suite('on PostgreSQL', { skip: noPostgres }, () => {
  test('no number of a log is given twice where a channel is created while its deletion is committed', async (context) => {
    const database = await createDatabaseFor(context)
    const [one, two] = [await database.open(), await database.open()]
    await addPeople(one)
    await create(one, ana)
    await fill(one)
    const late = user('late')
    await one.transaction((transaction) => insertUser(transaction, late, 3_000_000))
    const deletion = pausedBeforeCommit(one)
    const deleting = remove(deletion.store)
    await deletion.reached
    const creating = create(two, late).catch((error: { code: string }) => error.code)
    await untilSettledOrLocked(creating, database.url)
    deletion.goOn()
    await deleting
    // Of the two orders in which they may have come, the store chooses.
    if ((await creating) === 'Conflict') await create(two, late)
    const log = await one.read.all<{ seq: number }>(
      `SELECT seq FROM channel_log JOIN channel_head ON channel_head.channel_id = channel_log.channel_id
       WHERE channel_arn = $1 ORDER BY seq`,
      lounge,
    )
    assert.deepEqual(log, [{ seq: 1 }, { seq: 2 }, { seq: 3 }])
  })

  test('a channel is deleted while a message to it holds its rows: the message comes first', async (context) => {
    const database = await createDatabaseFor(context)
    const store = await database.open()
    await addPeople(store)
    await create(store, ana)
    const head = await store.read.get<{ channel_id: number }>('SELECT channel_id FROM channel_head')
    const message = plainMessage({ channel_arn: lounge, ...head, sender_arn: ana })
    const other = new Client({ connectionString: database.url })
    await other.connect()
    try {
      await other.query('BEGIN; SELECT FROM channel FOR SHARE; SELECT FROM channel_head FOR UPDATE')
      const deleting = remove(store)
      await untilSettledOrLocked(deleting, database.url)
      await other.query('UPDATE channel_head SET next_seq = next_seq + 1; COMMIT')
      await deleting
    } finally {
      await other.end()
    }
    const outcome = await store.commit({ ...message, channelFlowArn: null })
    assert.deepEqual(outcome, { result: 'rejected', because: 'sender is no member' })
    const log = await store.read.all<{ seq: number }>('SELECT seq FROM channel_log ORDER BY seq')
    assert.deepEqual(log, [{ seq: 1 }, { seq: 3 }])
  })

  test('two channels that are created at once lock their members in one order', async (context) => {
    const store = await (await createDatabaseFor(context)).open()
    await addPeople(store)
    const counted: unknown[] = []
    const watched = aroundStore(store, {
      transaction: (work) => store.transaction((transaction) => work(watching(transaction, counted))),
    })
    await create(watched, ana, [ghost, ben])
    await remove(store)
    await create(watched, ghost, [ben, ana])
    const inOrder = [ana, ben, ghost].map(numberOf)
    assert.deepEqual(counted, [...inOrder, ...inOrder])
  })
})

/** Notes for which users a membership is counted. */
const watching = (transaction: Transaction, counted: unknown[]): Transaction => ({
  ...transaction,
  get: (sql, ...values) => {
    if (sql.startsWith('UPDATE app_instance_user')) counted.push(values[0])
    return transaction.get(sql, ...values)
  },
})

/**
 * Users, and channels between the first one and the next, so that these two are on different pages of the indexes: PostgreSQL takes a
 * whole page for read, and would break one of two transactions off that share one.
 */
async function fill(store: Store): Promise<void> {
  const count = 5_000
  const insert = (text: string) =>
    store.write(`INSERT INTO ${text} FROM generate_series(1000001, ${1_000_000 + count}) number`)
  await insert(`app_instance_user SELECT number, 'other-' || number, '', '', NULL, 1, 0, 0, NULL`)
  await insert(`channel_head SELECT number, 'other-' || number, 2, 0, NULL, 1, NULL`)
  await insert(`channel SELECT number, 'other-' || number, '', '', '', '', NULL, NULL, '', '', 0, 0`)
  await insert(`channel_membership SELECT number, number, 'DEFAULT', '', '', NULL, 1, 0, 0`)
  await insert(`channel_moderator SELECT number, number, '', '', 0`)
  await insert(`channel_log SELECT number, 1, 'UPDATE_CHANNEL', '{}', '', 0, 0`)
  await store.write('ALTER TABLE channel_head ALTER COLUMN channel_id RESTART WITH 2000000')
  await store.write('ANALYZE')
}

/** Until the call has an answer, or some connection of the database waits for a lock that another holds. */
async function untilSettledOrLocked(call: Promise<unknown>, url: string): Promise<void> {
  const client = new Client({ connectionString: url })
  await client.connect()
  let isSettled = false
  const settle = () => {
    isSettled = true
  }
  call.then(settle, settle)
  const sql = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
  try {
    for (let looks = 1; !isSettled && (await client.query(sql)).rowCount === 0; looks += 1) {
      assert.ok(looks < 10_000, 'the call neither ends nor waits')
    }
  } finally {
    await client.end()
  }
}
