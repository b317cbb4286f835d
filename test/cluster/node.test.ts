import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { aliveMs, ClusterNode } from '../../src/cluster/node.ts'
import { type Log, silentLog } from '../../src/runtime/log.ts'
import type { Store } from '../../src/store/store.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { heldMessage, openChannel, readTurn } from '../support/rows.ts'
import { createStoreFile } from '../support/store-file.ts'

/** Nodes on one store, and a clock that stands still until the test moves it. */
async function openCluster(t: TestContext) {
  const store = await (await createStoreFile(t)).open()
  await openChannel(store)
  const clock = new ManualClock(1_000_000)
  const warnings: string[] = []
  const log: Log = { ...silentLog, warn: (_fields, text) => void warnings.push(text) }
  let ids = 0
  const start = async () => {
    const newId = () => `node-${(ids += 1)}`
    const node = new ClusterNode({ store, clock, log, newId })
    const heard: string[] = []
    await node.start({
      lookForWork: () => {},
      lost: (nodeId) => void heard.push(`lost ${nodeId}`),
      newsLost: () => void heard.push('news lost'),
    })
    return { node, heard }
  }
  /** The node has a step in hand, as an accepted message gives it one. */
  const hold = async (owner: string): Promise<string> => {
    const held = heldMessage({ created_at: clock.now() })
    const step = { ...held.flow.step, owner, due_at: clock.now() + 30_000 }
    await store.commit({ ...held, flow: { ...held.flow, step } })
    return step.callback_id
  }
  const stepOf = async (callbackId: string) => {
    const { owner, due_at } = (await readTurn(store.read, callbackId)).step
    return { owner, dueInMs: due_at - clock.now() }
  }
  return { store, clock, warnings, start, hold, stepOf }
}

const alive = async (store: Store) =>
  (await store.read.all<{ node_id: string }>('SELECT node_id FROM node ORDER BY node_id')).map(({ node_id }) => node_id)

suite('a node that shares its store', () => {
  test('is alive for as long as it says so', async (t) => {
    const { store, clock, start, hold, stepOf } = await openCluster(t)
    const [one, two] = [await start(), await start()]
    const callbackId = await hold(one.node.id)
    for (let seconds = 0; seconds < 10; seconds += 1) {
      clock.advance(1_000)
      await Promise.all([one.node.renew(), two.node.renew()])
    }
    assert.deepEqual(await alive(store), ['node-1', 'node-2'])
    assert.deepEqual(await stepOf(callbackId), { owner: 'node-1', dueInMs: 20_000 })
    assert.deepEqual([...one.heard, ...two.heard], [])
  })

  test('loses what it has in hand when it falls silent, to exactly one of the others', async (t) => {
    const { store, clock, warnings, start, hold, stepOf } = await openCluster(t)
    const [one, two, three] = [await start(), await start(), await start()]
    const [ofOne, ofTwo] = [await hold(one.node.id), await hold(two.node.id)]
    clock.advance(aliveMs)
    await Promise.all([two.node.renew(), three.node.renew()])
    assert.deepEqual(await alive(store), ['node-1', 'node-2', 'node-3'], 'not a moment too early')
    clock.advance(1)
    await Promise.all([two.node.renew(), three.node.renew()])
    assert.deepEqual(await alive(store), ['node-2', 'node-3'])
    assert.deepEqual(await stepOf(ofOne), { owner: '', dueInMs: 0 })
    assert.equal((await stepOf(ofTwo)).owner, 'node-2')
    assert.deepEqual([...two.heard, ...three.heard], ['news lost'])
    assert.deepEqual(warnings, ['a node is gone, and what it had in hand goes on elsewhere'])
  })

  test('goes on under another id when it wakes after that, and gives back what it took meanwhile', async (t) => {
    const { store, clock, start, hold, stepOf } = await openCluster(t)
    const [one, two] = [await start(), await start()]
    clock.advance(aliveMs + 1)
    await two.node.renew()
    const late = await hold('node-1')
    await one.node.renew()
    assert.deepEqual(one.heard, ['lost node-1', 'news lost'])
    assert.equal(one.node.id, 'node-3')
    assert.deepEqual(await alive(store), ['node-2', 'node-3'])
    assert.deepEqual(await stepOf(late), { owner: '', dueInMs: 0 })
  })

  test('does the same after a write whose outcome nobody knows', async (t) => {
    const { store, start, hold, stepOf } = await openCluster(t)
    const { node, heard } = await start()
    const callbackId = await hold(node.id)
    node.doubt()
    await node.renew()
    await node.renew()
    assert.deepEqual(heard, ['lost node-1', 'news lost'])
    assert.deepEqual(await alive(store), ['node-2'])
    assert.equal((await stepOf(callbackId)).owner, '')
  })

  test('says for how long the store has not heard of it, and goes on when it is back', async (t) => {
    const { store, clock, warnings, start } = await openCluster(t)
    const { node, heard } = await start()
    const { transaction } = store
    store.transaction = () => Promise.reject(new Error('the store is away'))
    clock.advance(2_500)
    await node.renew()
    assert.equal(node.silentMs, 2_500)
    assert.match(warnings.join('\n'), /the store did not hear that this node is alive/)
    store.transaction = transaction
    await node.renew()
    assert.equal(node.silentMs, 0)
    assert.deepEqual([node.id, heard], ['node-1', []])
  })

  test('gives everything back at once when it stops', async (t) => {
    const { store, start, hold, stepOf } = await openCluster(t)
    const [one] = [await start(), await start()]
    const callbackId = await hold(one.node.id)
    await one.node.close()
    assert.deepEqual(await alive(store), ['node-2'])
    assert.deepEqual(await stepOf(callbackId), { owner: '', dueInMs: 0 })
  })
})

suite('a node that must be the only one', () => {
  test('waits for one that may be dead, and takes over', async (t) => {
    const { clock, start, store } = await openCluster(t)
    await start()
    clock.advance(1)
    const second = new ClusterNode({ store, clock, log: silentLog, newId: () => 'second' })
    // The first one, of which nobody asks anything any more, is dead for this store.
    store.transaction = () => Promise.reject(new Error('dead'))
    const waited = second.requireNoOther()
    await new Promise(setImmediate)
    clock.advance(aliveMs)
    await waited
  })

  test('does not start beside one that is alive, and says what to do', async (t) => {
    const { clock, start, store } = await openCluster(t)
    const { node } = await start()
    const second = new ClusterNode({ store, clock, log: silentLog, newId: () => 'second' })
    const refused = assert.rejects(
      second.requireNoOther(),
      /another node is alive on this database: give both CARILLON_NATS_URL/,
    )
    await new Promise(setImmediate)
    clock.advance(1_000)
    await node.renew()
    clock.advance(aliveMs)
    await refused
  })
})
