import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { putOffMs } from '../../src/flow/put-off.ts'
import { StepWrites } from '../../src/flow/step-writes.ts'
import { type Log, silentLog } from '../../src/runtime/log.ts'
import type { RecordHandOff } from '../../src/store/changes.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { changeAfter, heldMessage, openChannel, readJob, twoDaysMs, verdictOn } from '../support/rows.ts'
import { createStoreFile } from '../support/store-file.ts'
import { WatchedStore } from '../support/watched-store.ts'

/** A step at its processor, and the callbacks of its writes. */
async function open(t: TestContext) {
  const store = new WatchedStore(await (await createStoreFile(t)).open())
  await openChannel(store)
  const clock = new ManualClock(0)
  const logged: string[] = []
  const dropped: string[] = []
  const log: Log = { ...silentLog, error: (_fields, text) => logged.push(text) }
  const writes = new StepWrites({ store, clock, log, dropped: (callbackId) => dropped.push(callbackId) })
  const told: (boolean | 'failed')[] = []
  const after = {
    settled: (isWritten: boolean) => void told.push(isWritten),
    failed: () => void told.push('failed'),
  }
  const newStep = async () => {
    const held = heldMessage()
    await store.commit(held)
    return held.flow.step.callback_id
  }
  const record = async (id: string, type: 'HandedOff' | 'Completed' = 'HandedOff') => {
    const change = changeAfter(await readJob(store.read, id), { type }, clock.now())
    assert.ok(change.kind === 'RecordHandOff')
    return change
  }
  /** Advances the clock and waits for the writes. */
  const pass = async (byMs: number) => {
    for (const untilMs = clock.now() + byMs; clock.now() < untilMs; ) {
      clock.advance(Math.min((clock.nextAlarmMs ?? untilMs) - clock.now() || 1, untilMs - clock.now()))
      do await new Promise(setImmediate)
      while (store.pending > 0)
    }
  }
  const id = await newStep()
  const step = async () => (await readJob(store.read, id)).step
  store.written.length = 0
  return { store, clock, writes, logged, dropped, told, after, id, newStep, record, pass, step }
}

/** A put-off write as the engine makes it, and whether it was asked for. */
function lazily(change: RecordHandOff) {
  const made = { count: 0 }
  return {
    made,
    change: () => {
      made.count += 1
      return change
    },
  }
}

test('a write that is put off runs a second later, and is not computed before', async (t) => {
  const { writes, record, id, after, told, pass, step } = await open(t)
  const { change, made } = lazily(await record(id))
  assert.equal(await writes.putOff(id, change, twoDaysMs, after), true)
  await pass(putOffMs - 1)
  assert.equal(made.count, 0)
  await pass(1)
  assert.equal((await step()).state, 'AWAITING')
  assert.deepEqual(told, [true])
})

test('a verdict cancels a write that is put off: it is neither computed nor written', async (t) => {
  const { store, writes, record, id, after, told, pass } = await open(t)
  const { change, made } = lazily(await record(id))
  await writes.putOff(id, change, twoDaysMs, after)
  writes.cancel(id)
  await pass(10 * putOffMs)
  assert.deepEqual([made.count, told, store.written], [0, [], []])
})

test('the later of two writes that are put off runs', async (t) => {
  const { store, writes, record, id, after, pass, step } = await open(t)
  const handedOff = await record(id)
  const completed = await record(id, 'Completed')
  await writes.putOff(id, () => handedOff, twoDaysMs, after)
  await writes.putOff(id, () => completed, twoDaysMs, after)
  await pass(2 * putOffMs)
  assert.deepEqual(store.written, ['RecordHandOff'])
  assert.equal((await step()).owner, '')
})

test('without a change, nothing is written', async (t) => {
  const { store, writes, id, after, told, pass } = await open(t)
  await writes.putOff(id, () => undefined, twoDaysMs, after)
  await pass(2 * putOffMs)
  assert.deepEqual([store.written, told], [[], []])
})

test('near the deadline of the row, nothing is put off', async (t) => {
  const { writes, record, id, after, told, step } = await open(t)
  const change = await record(id)
  assert.equal(await writes.putOff(id, () => change, 2 * putOffMs - 1, after), true)
  assert.deepEqual([(await step()).state, told], ['AWAITING', [true]])
})

test('a failed write is retried until it succeeds; meanwhile no other is put off', async (t) => {
  const { store, writes, record, newStep, id, after, told, logged, pass, step } = await open(t)
  const [change, other] = [await record(id), await newStep()]
  const otherChange = await record(other)
  store.failing = true
  assert.equal(await writes.write(change, after), false)
  assert.deepEqual(told, ['failed'])
  await pass(2_999)
  assert.equal(await writes.putOff(other, () => otherChange, twoDaysMs, after), false)
  assert.deepEqual(told, ['failed', 'failed'])
  store.failing = false
  await pass(4_000)
  assert.equal((await step()).state, 'AWAITING')
  assert.equal((await readJob(store.read, other)).step.state, 'AWAITING')
  assert.deepEqual(told, ['failed', 'failed', true, true])
  assert.deepEqual(logged, Array(3).fill('writing a step failed; trying again'))
})

test('a write of an ended step is rejected and not retried', async (t) => {
  const { store, writes, record, id, after, told, pass } = await open(t)
  const change = await record(id)
  await store.commit(verdictOn(await readJob(store.read, id)))
  store.written.length = 0
  assert.equal(await writes.write(change, after), true)
  await pass(60_000)
  assert.deepEqual([told, store.written], [[false], ['RecordHandOff']])
})

test('a write replaces one that waits for a retry', async (t) => {
  const { store, writes, record, id, after, pass, step } = await open(t)
  const handedOff = await record(id)
  const completed = await record(id, 'Completed')
  store.failing = true
  await writes.write(handedOff, after)
  store.failing = false
  await writes.write(completed, after)
  await pass(60_000)
  assert.deepEqual(store.written, ['RecordHandOff', 'RecordHandOff'])
  assert.equal((await step()).owner, '')
})

test('a write that fails while a later one of the step is put off is not retried', async (t) => {
  const { store, writes, record, id, after, told, pass } = await open(t)
  const handedOff = await record(id)
  const completed = await record(id, 'Completed')
  store.failing = true
  const failed = writes.write(handedOff, after)
  await writes.putOff(id, () => completed, twoDaysMs, after)
  assert.equal(await failed, true)
  store.failing = false
  await pass(60_000)
  assert.deepEqual([told, store.written], [[true], ['RecordHandOff', 'RecordHandOff']])
})

test('retries of a write end at the deadline of its step, which then expires', async (t) => {
  const { store, writes, record, id, after, told, pass } = await open(t)
  const change = await record(id)
  const near = { ...change, step: { ...change.step, deadline_at: 10_000 } }
  store.failing = true
  await writes.write(near, after)
  await pass(9_000)
  store.failing = false
  await pass(60_000)
  // At 0, 1, 3 and 7 s.
  assert.deepEqual([told, store.written.length], [['failed'], 4])
})

test('close runs the writes that are put off, and drops the failed ones', async (t) => {
  const { store, writes, record, newStep, id, after, step } = await open(t)
  const other = await newStep()
  const [change, otherChange] = [await record(id), await record(other)]
  await writes.putOff(id, () => change, twoDaysMs, after)
  store.failing = true
  await writes.write(otherChange, after)
  store.failing = false
  await writes.close()
  assert.equal((await step()).state, 'AWAITING')
  assert.equal((await readJob(store.read, other)).step.state, 'DISPATCHING')
})

test('beyond 10,000 writes that wait for a retry, a further one is dropped', async (t) => {
  const { store, writes, record, id, after, told, dropped } = await open(t)
  const change = await record(id)
  const named = (callbackId: string) => ({ ...change, step: { ...change.step, callback_id: callbackId } })
  store.failing = true
  await Promise.all(Array.from({ length: 10_000 }, (_, index) => writes.write(named(`step-${index}`), after)))
  assert.deepEqual(dropped, [])
  assert.equal(await writes.write(named('one too many'), after), false)
  assert.deepEqual(dropped, ['one too many'])
  assert.equal(told.length, 10_001)
})

test('a single write reports whether it succeeded, and is not retried', async (t) => {
  const { store, writes, record, id, pass } = await open(t)
  const change = await record(id)
  store.failing = true
  assert.equal(await writes.once(change), false)
  await pass(60_000)
  assert.equal(store.written.length, 1)
  store.failing = false
  assert.equal(await writes.once(change), true)
})
