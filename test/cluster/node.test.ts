import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { aliveMs, ClusterNode } from '../../src/cluster/node.ts'
import { type Log, silentLog } from '../../src/runtime/log.ts'
import { readDeadOwners } from '../../src/store/steps.ts'
import type { Store } from '../../src/store/store.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { heldMessage, openChannel, readJob } from '../support/rows.ts'
import { createStoreFile } from '../support/store-file.ts'

const startMs = 1_000_000

interface Started {
  node: ClusterNode
  /** Its own: it stands still while the node is frozen. */
  clock: ManualClock
  heard: string[]
}

/** Nodes on one store, each with a clock that the test moves. */
async function openCluster(t: TestContext) {
  const store = await (await createStoreFile(t)).open()
  await openChannel(store)
  const warnings: string[] = []
  const log: Log = { ...silentLog, warn: (_fields, text) => void warnings.push(text) }
  let ids = 0
  const newId = () => {
    ids += 1
    return `node-${ids}`
  }
  const create = (nowMs: number) => {
    const clock = new ManualClock(nowMs)
    return { clock, node: new ClusterNode({ store, clock, log, newId }) }
  }
  const start = async (): Promise<Started> => {
    const { clock, node } = create(startMs)
    const heard: string[] = []
    await node.start({
      lookForWork: () => {},
      lost: (nodeId) => void heard.push(`lost ${nodeId}`),
      stepsUnknown: () => void heard.push('steps unknown'),
      eventsLost: () => void heard.push('news lost'),
    })
    return { node, clock, heard }
  }
  /** Time goes on for these nodes, and they say that they are alive. */
  const pass = async (ms: number, ...nodes: Started[]) => {
    for (const { clock } of nodes) clock.advance(ms)
    await Promise.all(nodes.map(({ node }) => node.renew()))
  }
  /** The node owns a step, as an accepted message gives it one. */
  const hold = async (owner: string): Promise<string> => {
    const held = heldMessage({ created_at: startMs })
    const step = { ...held.flow.step, owner }
    await store.commit({ ...held, flow: { ...held.flow, step } })
    return step.callback_id
  }
  const ownerOf = async (callbackId: string) => (await readJob(store.read, callbackId)).step.owner
  /** Whose steps any node may take. */
  const deadOwners = () => readDeadOwners(store.read, '')
  return { store, warnings, create, start, pass, hold, ownerOf, deadOwners }
}

const alive = async (store: Store) =>
  (await store.read.all<{ node_id: string }>('SELECT node_id FROM node ORDER BY node_id')).map(({ node_id }) => node_id)

suite('a node that shares its store', () => {
  test('is alive for as long as it says so', async (t) => {
    const { store, start, pass, hold, deadOwners } = await openCluster(t)
    const [one, two] = [await start(), await start()]
    await hold(one.node.id)
    for (let seconds = 0; seconds < 10; seconds += 1) await pass(1_000, one, two)
    assert.deepEqual(await alive(store), ['node-1', 'node-2'])
    assert.deepEqual(await deadOwners(), [])
    assert.deepEqual([...one.heard, ...two.heard], [])
  })

  test('loses its steps when it falls silent: one of the others deletes its row, and nothing is written for the steps', async (t) => {
    const { store, warnings, start, pass, hold, ownerOf, deadOwners } = await openCluster(t)
    const [one, two, three] = [await start(), await start(), await start()]
    const [ofOne] = [await hold(one.node.id), await hold(two.node.id)]
    await pass(aliveMs, two, three)
    assert.deepEqual(await alive(store), ['node-1', 'node-2', 'node-3'], 'not a moment too early')
    await pass(1, two, three)
    assert.deepEqual(await alive(store), ['node-2', 'node-3'])
    assert.deepEqual([await ownerOf(ofOne), await deadOwners()], ['node-1', ['node-1']])
    assert.deepEqual([...two.heard, ...three.heard], ['news lost'])
    assert.deepEqual(warnings, ['node is dead; other nodes take its steps'])
  })

  test('goes on under another id when it wakes after that, and loses what it took meanwhile', async (t) => {
    const { store, start, pass, hold, deadOwners } = await openCluster(t)
    const [one, two] = [await start(), await start()]
    await pass(aliveMs + 1, two)
    await hold('node-1')
    await pass(aliveMs + 1, one)
    assert.deepEqual(one.heard, ['lost node-1', 'news lost'])
    assert.equal(one.node.id, 'node-3')
    assert.deepEqual(await alive(store), ['node-2', 'node-3'])
    assert.deepEqual(await deadOwners(), ['node-1'])
  })

  test('keeps its id after a write with an unknown outcome, and looks for what the write brought', async (t) => {
    const { store, start, pass, hold, deadOwners } = await openCluster(t)
    const one = await start()
    await hold('node-1')
    one.node.markUncertain()
    await pass(1_000, one)
    await pass(1_000, one)
    assert.deepEqual(one.heard, ['steps unknown', 'news lost'])
    assert.deepEqual([await alive(store), await deadOwners()], [['node-1'], []])
  })

  test('takes a new id when it is registered under it, however often the store fails it on the way', async (t) => {
    const { store, start, pass, hold, deadOwners } = await openCluster(t)
    const [one, two] = [await start(), await start()]
    await pass(aliveMs + 1, two)
    const { transaction } = store
    store.transaction = () => Promise.reject(new Error('the store is away'))
    await pass(aliveMs + 1, one)
    assert.deepEqual([one.node.id, one.heard], ['node-1', []])
    store.transaction = transaction
    await hold('node-1')
    await pass(1_000, one, two)
    assert.deepEqual(await alive(store), ['node-2', one.node.id])
    assert.deepEqual(one.heard, ['lost node-1', 'news lost'])
    await hold(one.node.id)
    assert.deepEqual(await deadOwners(), ['node-1'], 'what it owns under the new id it keeps')
  })

  test('says for how long the store has not heard of it, and goes on when it is back', async (t) => {
    const { store, warnings, start, pass } = await openCluster(t)
    const one = await start()
    const { write } = store
    store.write = () => Promise.reject(new Error('the store is away'))
    await pass(2_500, one)
    assert.equal(one.node.silentMs, 2_500)
    assert.match(warnings.join('\n'), /heartbeat failed/)
    store.write = write
    await pass(0, one)
    assert.equal(one.node.silentMs, 0)
    assert.deepEqual([one.node.id, one.heard], ['node-1', []])
  })

  test('leaves its steps to the others at once when it stops', async (t) => {
    const { store, start, hold, deadOwners } = await openCluster(t)
    const [one] = [await start(), await start()]
    await hold('node-1')
    await one.node.close()
    assert.deepEqual([await alive(store), await deadOwners()], [['node-2'], ['node-1']])
  })
})

suite('a node', () => {
  const silent = { lookForWork: () => {}, lost: () => {}, stepsUnknown: () => {}, eventsLost: () => {} }

  test('joins once, and leaves for good', async (t) => {
    const { store, start } = await openCluster(t)
    const { node } = await start()
    await assert.rejects(node.start(silent), /a node joins once/)
    await node.close()
    assert.throws(() => node.renew(), /a heartbeat would register a node that has left/)
    await assert.rejects(node.start(silent), /a node joins once/)
    assert.deepEqual(await alive(store), [])
  })

  test('that has not joined leaves nothing, and one that has cannot ask whether it is alone', async (t) => {
    const { store, create, start } = await openCluster(t)
    await create(startMs).node.close()
    const { node } = await start()
    await assert.rejects(node.requireNoOther(), /its own row would be another node/)
    assert.deepEqual(await alive(store), [node.id])
  })
})

suite('a node that must be the only one', () => {
  test('waits for as long as one that has died counts as alive', async (t) => {
    const { create, start } = await openCluster(t)
    await start()
    const second = create(startMs + 1)
    const waited = second.node.requireNoOther()
    await new Promise(setImmediate)
    second.clock.advance(aliveMs)
    await waited
  })

  test('does not start beside one that is alive, and says what to do', async (t) => {
    const { create, start, pass } = await openCluster(t)
    const one = await start()
    const second = create(startMs + 1)
    const refused = assert.rejects(
      second.node.requireNoOther(),
      /another node is alive on this database: give both CARILLON_NATS_URL/,
    )
    await pass(1_000, one)
    second.clock.advance(aliveMs)
    await refused
  })
})
