import assert from 'node:assert/strict'
import type { RecordHandOff } from '../../src/store/changes.ts'
import type { ChannelEvent } from '../../src/store/channel-event.ts'
import { type Store, StoreUnavailable, type Transaction } from '../../src/store/store.ts'
import {
  ben,
  changeAfter,
  heldMessage,
  lobby,
  membershipOf,
  numberOf,
  openChannel,
  plainMessage,
  readJob,
  verdictOn,
} from '../support/rows.ts'
import { type Cases, listenTo } from './store-suite.ts'

export const transactionCases: Cases = {
  async 'a transaction returns the result of its work, and a statement the number of changed rows'({ store }) {
    const answer = await store.transaction(async (transaction) => {
      const one = await put(transaction, 'a', '1')
      const two = await transaction.run('UPDATE setting SET value = $2 WHERE name = $1 AND value = $3', 'a', '2', '1')
      const none = await transaction.run('DELETE FROM setting WHERE name = $1', 'b')
      return [one, two, none, await transaction.all('SELECT value FROM setting')]
    })
    assert.deepEqual(answer, [1, 1, 0, await store.read.all('SELECT value FROM setting')])
    assert.equal(await settingOf(store, 'a'), '2')
  },

  async 'insertOnce does not change an existing row, and insert throws'({ store }) {
    await store.transaction(async (transaction) => {
      assert.equal(await transaction.insertOnce('setting', { name: 'a', value: '1' }), true)
      assert.equal(await transaction.insertOnce('setting', { name: 'a', value: '2' }), false)
    })
    const again = store.transaction((transaction) => transaction.insert('setting', { name: 'a', value: '3' }))
    await assert.rejects(again)
    assert.equal(await settingOf(store, 'a'), '1')
  },

  async 'a search for a name with a NUL finds nothing'({ store }) {
    await store.transaction((transaction) => put(transaction, 'a', '1'))
    assert.equal(await settingOf(store, 'a\0'), undefined)
    const changed = await store.transaction((transaction) =>
      transaction.run('DELETE FROM setting WHERE name = $1', 'a\0'),
    )
    assert.equal(changed, 0)
  },

  async 'a transaction whose work throws is rolled back, without events and numbers'({ store }) {
    await openChannel(store)
    const told = listenTo(store)
    const broken = store.transaction(async (transaction) => {
      await put(transaction, 'a', '1')
      await transaction.append(benJoins)
      throw new Error('on second thoughts')
    })
    await assert.rejects(broken, /on second thoughts/)
    assert.equal(await settingOf(store, 'a'), undefined)
    assert.equal(told.length, 0)
    await store.transaction((transaction) => transaction.append(benJoins))
    assert.deepEqual(
      told.flatMap(({ events }) => events.map(({ seq }) => seq)),
      [1],
    )
  },

  async 'a transaction that breaks a constraint is rolled back, and the next one succeeds'({ store }) {
    const broken = store.transaction(async (transaction) => {
      await put(transaction, 'a', '1')
      await put(transaction, 'a', '2')
    })
    await assert.rejects(broken)
    await store.transaction((transaction) => put(transaction, 'b', '1'))
    assert.deepEqual([await settingOf(store, 'a'), await settingOf(store, 'b')], [undefined, '1'])
  },

  async 'a read never sees an open transaction'({ store }) {
    await using open = await openTransaction(store)
    await open.work((transaction) => put(transaction, 'a', '1'))
    assert.equal(await settingOf(store, 'a'), undefined)
    await open.end()
    assert.equal(await settingOf(store, 'a'), '1')
  },

  async 'an event is reported after its commit, with its number and a time that never decreases'({ store }) {
    await openChannel(store)
    await store.commit(plainMessage({ created_at: 9_000 }))
    const told = listenTo(store)
    await using open = await openTransaction(store)
    await open.work((transaction) => transaction.append(benJoins))
    assert.equal(told.length, 0)
    await open.end()
    assert.deepEqual(told, [{ events: [{ ...benJoins, seq: 2, createdAt: 9_000 }], jobs: [], decided: [], ended: [] }])
  },

  async 'endStep only ends the open step of its run, and notifies the engine'({ store }) {
    await openChannel(store)
    const [held, other] = [heldMessage(), heldMessage()]
    await Promise.all([store.commit(held), store.commit(other)])
    const { run, step } = held.flow
    const read = await readJob(store.read, step.callback_id)
    const told = listenTo(store)
    await store.transaction((transaction) => transaction.endStep(run, 7_000))
    assert.deepEqual(told, [{ events: [], jobs: [], decided: [step.callback_id], ended: [] }])
    const ended = await readJob(store.read, step.callback_id)
    assert.deepEqual({ ...ended.step }, { ...step, state: 'EXPIRED', owner: '', decided_at: 7_000 })
    assert.deepEqual({ ...(await readJob(store.read, other.flow.step.callback_id)).step }, other.flow.step)
    assert.equal((await store.commit(verdictOn(read))).result, 'rejected', 'no verdict counts any more')
    await store.transaction((transaction) => transaction.endStep(run, 8_000))
    assert.deepEqual(told[1]?.decided ?? [], [])
  },

  async 'endStep of a transaction that is rolled back ends nothing and notifies no engine'({ store }) {
    await openChannel(store)
    const held = heldMessage()
    await store.commit(held)
    const told = listenTo(store)
    const broken = store.transaction(async (transaction) => {
      await transaction.endStep(held.flow.run, 7_000)
      throw new Error('on second thoughts')
    })
    await assert.rejects(broken)
    assert.deepEqual(told, [])
    assert.deepEqual({ ...(await readJob(store.read, held.flow.step.callback_id)).step }, held.flow.step)
  },

  async 'hot writes that end steps can be part of a transaction, and are committed or rolled back with it'({ store }) {
    await openChannel(store)
    const [held, other] = [heldMessage(), heldMessage()]
    await Promise.all([store.commit(held), store.commit(other)])
    const job = await readJob(store.read, held.flow.step.callback_id)
    const stopped = changeAfter(job, { type: 'Stopped', reason: 'banned' }, 7_000)
    assert.ok(stopped.kind === 'DecideStep')
    const told = listenTo(store)
    const stop = (work: (transaction: Transaction) => Promise<unknown>) =>
      store.transaction(async (transaction) => {
        const outcomes = await transaction.decide([stopped, stopped])
        await work(transaction)
        return outcomes
      })
    await assert.rejects(stop(() => Promise.reject(new Error('on second thoughts'))))
    assert.equal(told.length, 0)
    assert.equal((await readJob(store.read, held.flow.step.callback_id)).step.state, 'DISPATCHING')

    const outcomes = await stop((transaction) => transaction.append(benJoins))
    assert.deepEqual(outcomes, [{ result: 'decided' }, { result: 'rejected', because: 'step is over' }])
    assert.deepEqual(
      told.map(({ events, decided, ended }) => [events.map(({ eventType, seq }) => [eventType, seq]), decided, ended]),
      [
        [
          [
            ['FAILED_CREATE_CHANNEL_MESSAGE', 3],
            ['CREATE_CHANNEL_MEMBERSHIP', 4],
          ],
          [held.flow.step.callback_id],
          [{ run: stopped.run, step: stopped.step, processorName: 'redact', changedBy: [] }],
        ],
      ],
    )
    assert.deepEqual(await store.transaction((transaction) => transaction.decide([])), [])
    assert.equal((await store.commit(verdictOn(job))).result, 'rejected', 'no verdict counts any more')
    assert.deepEqual({ ...(await readJob(store.read, other.flow.step.callback_id)).step }, other.flow.step)
  },

  async 'an event of an unknown channel makes its transaction fail'({ store }) {
    await assert.rejects(
      store.transaction((transaction) => transaction.append(benJoins)),
      /has no head row/,
    )
  },

  async 'every event is reported once, after it can be read'({ store }) {
    await openChannel(store)
    const seqs: (number | undefined)[] = []
    const found: Promise<unknown>[] = []
    store.onCommit(({ events }) => {
      for (const { channelId, seq } of events) {
        seqs.push(seq)
        found.push(store.read.get('SELECT 1 FROM channel_log WHERE channel_id = $1 AND seq = $2', channelId, seq ?? 0))
      }
    })
    const writes: Promise<unknown>[] = []
    for (let round = 0; round < 20; round += 1) {
      writes.push(store.commit(plainMessage()), store.commit(heldMessage()))
      writes.push(store.transaction((transaction) => transaction.append(benJoins)))
      if (round % 5 === 0) await new Promise(setImmediate)
    }
    await Promise.all(writes)
    assert.deepEqual(
      seqs.toSorted((a, b) => Number(a) - Number(b)),
      Array.from({ length: 60 }, (_, index) => index + 1),
    )
    assert.ok((await Promise.all(found)).every((row) => row !== undefined))
  },

  async 'a write beyond the maximum of waiting ones is rejected as retryable; the others succeed'({ store }) {
    await openChannel(store)
    const nothing: RecordHandOff = { kind: 'RecordHandOff', step: heldMessage().flow.step, expectedOwner: '' }
    const waiting = Array.from({ length: 10_000 }, () => store.commit(nothing))
    await assert.rejects(store.commit(nothing), StoreUnavailable)
    for (const outcome of await Promise.all(waiting)) assert.equal(outcome.result, 'rejected')
    assert.equal((await store.commit(plainMessage())).result, 'accepted')
  },

  async 'close commits the writes that wait'({ store, reopen }) {
    await openChannel(store)
    const writes = Array.from({ length: 300 }, () => store.commit(plainMessage()))
    const reopened = await reopen()
    await Promise.all(writes)
    assert.equal((await reopened.read.all('SELECT 1 FROM channel_message')).length, 300)
  },

  async 'close waits for an open transaction'({ store, reopen }) {
    await using open = await openTransaction(store)
    const reopening = reopen()
    await new Promise(setImmediate)
    await open.work((transaction) => put(transaction, 'a', '1'))
    await open.end()
    assert.equal(await settingOf(await reopening, 'a'), '1')
  },
}

const benJoins: Omit<ChannelEvent, 'seq'> = {
  channelId: numberOf(lobby),
  channelArn: lobby,
  eventType: 'CREATE_CHANNEL_MEMBERSHIP',
  audience: { to: 'members' },
  createdAt: 0,
  subject: ben,
  revision: 0,
  about: { ...membershipOf(lobby, ben), channel_arn: lobby, member_arn: ben, member_name: '"Ben"' },
}

const put = (transaction: Transaction, name: string, value: string) =>
  transaction.run('INSERT INTO setting VALUES ($1, $2)', name, value)

const settingOf = async ({ read }: Store, name: string) =>
  (await read.get<{ value: string }>('SELECT value FROM setting WHERE name = $1', name))?.value

/** A transaction that stays open, executes work on request, and ends on request. */
export async function openTransaction(store: Store) {
  const begun = Promise.withResolvers<Transaction>()
  const ended = Promise.withResolvers<void>()
  const committed = store.transaction((transaction) => {
    begun.resolve(transaction)
    return ended.promise
  })
  const transaction = await begun.promise
  const end = () => {
    ended.resolve()
    return committed
  }
  return {
    work: (work: (transaction: Transaction) => Promise<unknown>) => work(transaction),
    end,
    [Symbol.asyncDispose]: end,
  }
}
