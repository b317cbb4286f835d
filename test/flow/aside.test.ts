import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Aside } from '../../src/flow/aside.ts'
import { type Log, silentLog } from '../../src/runtime/log.ts'
import type { Turn } from '../../src/store/tables.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { heldMessage, node, openChannel, readTurn, verdictOn } from '../support/rows.ts'
import { createStoreFile } from '../support/store-file.ts'
import { WatchedStore } from '../support/watched-store.ts'

const asideMs = 30_000

/** A step whose message has attributes that are no JSON, as damaged rows may have. */
async function open(t: TestContext) {
  const store = new WatchedStore(await (await createStoreFile(t)).open())
  await openChannel(store)
  const clock = new ManualClock(0)
  const errors: { fields: object; text: string }[] = []
  const log: Log = { ...silentLog, error: (fields, text) => errors.push({ fields, text }) }
  const readable: Turn[] = []
  const aside = new Aside({ store, node, clock, log, readable: (turn) => readable.push(turn) })
  t.after(() => aside.close())
  const held = heldMessage({ message_attributes_json: 'secret text' })
  await store.commit(held)
  const id = held.flow.step.callback_id
  const turn = await readTurn(store.read, id)
  const repair = () => store.write('UPDATE channel_message SET message_attributes_json = NULL')
  const pass = async (byMs: number) => {
    clock.advance(byMs)
    do await new Promise(setImmediate)
    while (store.pending > 0)
  }
  store.reads = 0
  return { store, aside, errors, readable, id, turn, repair, pass }
}

test('rows of which no event can be made are logged, without the text', async (t) => {
  const { aside, errors, turn } = await open(t)
  assert.equal(aside.eventOf(turn), undefined)
  const [error] = errors
  assert.equal(error?.text, 'building the event of a message failed; trying again later')
  assert.deepEqual(error?.fields, {
    channelArn: turn.step.channel_arn,
    messageId: turn.step.message_id,
    reason: 'SyntaxError',
  })
  assert.doesNotMatch(JSON.stringify(errors), /secret/)
})

test('a step that was set aside comes back when its rows can be read again', async (t) => {
  const { aside, readable, id, turn, repair, pass } = await open(t)
  aside.add(turn.step)
  assert.equal(aside.has(id), true)
  await pass(asideMs)
  assert.deepEqual([aside.has(id), readable.length], [true, 0])
  await repair()
  await pass(2 * asideMs)
  assert.deepEqual(
    readable.map(({ step }) => step.callback_id),
    [id],
  )
  assert.equal(aside.has(id), false)
  assert.ok(aside.eventOf(readable[0] as Turn))
})

test('nothing is read while it is set aside', async (t) => {
  const { store, aside, turn, pass } = await open(t)
  aside.add(turn.step)
  await pass(asideMs - 1)
  assert.equal(store.reads, 0)
  await pass(1)
  assert.ok(store.reads > 0)
})

test('a step that is decided meanwhile, or is another node’s, is forgotten', async (t) => {
  const { store, aside, readable, id, turn, pass } = await open(t)
  aside.add(turn.step)
  await store.commit(verdictOn({ ...turn, message: { ...turn.message, message_attributes_json: null } }))
  await pass(asideMs)
  assert.deepEqual([aside.has(id), readable], [false, []])
})

test('a step that is taken out does not come back', async (t) => {
  const { store, aside, readable, id, turn, repair, pass } = await open(t)
  aside.add(turn.step)
  aside.delete(id)
  await repair()
  store.reads = 0
  await pass(10 * asideMs)
  assert.deepEqual([aside.has(id), readable, store.reads], [false, [], 0])
})

test('a read that fails is made again later', async (t) => {
  const { store, aside, errors, readable, turn, repair, pass } = await open(t)
  aside.add(turn.step)
  await repair()
  store.failingReads = true
  await pass(asideMs)
  assert.equal(errors.at(-1)?.text, 'reading a step that was set aside failed; trying again')
  store.failingReads = false
  await pass(2 * asideMs)
  assert.equal(readable.length, 1)
})
