import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Aside } from '../../src/flow/aside.ts'
import { type Log, silentLog } from '../../src/runtime/log.ts'
import type { Job } from '../../src/store/tables.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { heldMessage, node, openChannel, readJob, verdictOn } from '../support/rows.ts'
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
  const readable: Job[] = []
  const aside = new Aside({ store, node, clock, log, readable: (job) => readable.push(job) })
  t.after(() => aside.close())
  const held = heldMessage({ message_attributes_json: 'secret text' })
  await store.commit(held)
  const id = held.flow.step.callback_id
  const job = await readJob(store.read, id)
  const repair = () => store.write('UPDATE channel_message SET message_attributes_json = NULL')
  const pass = async (byMs: number) => {
    clock.advance(byMs)
    do await new Promise(setImmediate)
    while (store.pending > 0)
  }
  store.reads = 0
  return { store, aside, errors, readable, id, job, repair, pass }
}

test('rows whose event cannot be built are logged, without the text', async (t) => {
  const { aside, errors, job } = await open(t)
  assert.equal(aside.eventOf(job), undefined)
  const [error] = errors
  assert.equal(error?.text, 'building the event of a message failed; trying again later')
  assert.deepEqual(error?.fields, {
    channelArn: job.step.channel_arn,
    messageId: job.step.message_id,
    reason: 'SyntaxError',
  })
  assert.doesNotMatch(JSON.stringify(errors), /secret/)
})

test('a step that was set aside resumes when its event can be built', async (t) => {
  const { aside, readable, id, job, repair, pass } = await open(t)
  aside.add(job.step)
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
  assert.ok(aside.eventOf(readable[0] as Job))
})

test('a step that is set aside is not read before its interval has passed', async (t) => {
  const { store, aside, job, pass } = await open(t)
  aside.add(job.step)
  await pass(asideMs - 1)
  assert.equal(store.reads, 0)
  await pass(1)
  assert.ok(store.reads > 0)
})

test('a step that was decided, or that another node owns, is dropped', async (t) => {
  const { store, aside, readable, id, job, pass } = await open(t)
  aside.add(job.step)
  await store.commit(verdictOn({ ...job, message: { ...job.message, message_attributes_json: null } }))
  await pass(asideMs)
  assert.deepEqual([aside.has(id), readable], [false, []])
})

test('a deleted step does not resume', async (t) => {
  const { store, aside, readable, id, job, repair, pass } = await open(t)
  aside.add(job.step)
  aside.delete(id)
  await repair()
  store.reads = 0
  await pass(10 * asideMs)
  assert.deepEqual([aside.has(id), readable, store.reads], [false, [], 0])
})

test('a read that fails is retried', async (t) => {
  const { store, aside, errors, readable, job, repair, pass } = await open(t)
  aside.add(job.step)
  await repair()
  store.failingReads = true
  await pass(asideMs)
  assert.equal(errors.at(-1)?.text, 'reading a step that was set aside failed; trying again')
  store.failingReads = false
  await pass(2 * asideMs)
  assert.equal(readable.length, 1)
})
