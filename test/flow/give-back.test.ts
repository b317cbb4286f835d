import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { givenBackMax } from '../../src/flow/give-back.ts'
import type { HandOff } from '../../src/processor/target.ts'
import { type FlowStage, openStage } from '../support/flow-stage.ts'
import { node } from '../support/rows.ts'

/*
 * A step that this node cannot hand over, through no fault of the processor, goes to another node if there is one.
 */

const shortage = { result: 'deferred', reason: 'no such folder', cause: 'functions folder' } as const
const minuteMs = 60_000
const otherNode = 'node-2'

/** An engine whose every hand-off has this outcome at once, on a store that another node shares. */
async function openShared(context: TestContext, outcome: () => HandOff | undefined): Promise<FlowStage> {
  const stage = await openStage(context)
  await stage.store.transaction((transaction) =>
    transaction.insertOnce('node', { node_id: otherNode, alive_until: 100 * minuteMs }),
  )
  await stage.store.transaction((transaction) =>
    transaction.insertOnce('node', { node_id: node.id, alive_until: 100 * minuteMs }),
  )
  stage.onAttempt = (attempt) => {
    const handOff = outcome()
    if (handOff) stage.clock.at(stage.clock.now(), () => void attempt.end(handOff))
  }
  return stage
}

/** Takes as the other node what is due. Returns the CallbackIds. */
async function takeElsewhere({ store, clock }: FlowStage): Promise<string[]> {
  const now = clock.now()
  const againAt = now + minuteMs
  const take = { kind: 'TakeSteps', owner: otherNode, deadNode: undefined, now, againAt, stepsMax: 1_000 } as const
  const jobs = await store.commit(take)
  return jobs.map(({ step }) => step.callback_id)
}

/** Lets a round fail until its steps were given back, and then the pause pass. */
async function passUntilDue(stage: FlowStage, callbackId: string): Promise<void> {
  for (let ms = 0; (await stage.step(callbackId)).owner !== ''; ms += 100) {
    assert.ok(ms < minuteMs, 'it is given back within a minute')
    await stage.pass(100)
  }
  const { due_at } = await stage.step(callbackId)
  await stage.pass(due_at - stage.clock.now())
}

test('after three rounds of a shortage, a node releases the step to another one, and no try and no attempt is counted', async (context) => {
  const stage = await openShared(context, () => shortage)
  const callbackId = await stage.send()
  const before = await stage.step(callbackId)
  await stage.pass(1_000)
  assert.deepEqual([await takeElsewhere(stage), stage.attempts.length], [[], 2], 'a short shortage releases nothing')
  await passUntilDue(stage, callbackId)
  assert.equal(stage.attempts.length, 3)
  assert.deepEqual(await takeElsewhere(stage), [callbackId])
  const { owner, due_at, ...row } = await stage.step(callbackId)
  assert.deepEqual({ ...row, owner: before.owner, due_at: before.due_at }, { ...before })
  await stage.pass(10 * minuteMs)
  assert.equal(stage.attempts.length, 3, 'the other node owns it')
})

test('a step that no other node takes returns, and is handed over when the shortage has ended', async (context) => {
  let isShort = true
  const stage = await openShared(context, () => (isShort ? shortage : undefined))
  const callbackId = await stage.send()
  await stage.pass(5 * minuteMs)
  const { attempts } = stage
  assert.ok(attempts.length >= 10 && attempts.length <= 25, `${attempts.length} attempts`)
  isShort = false
  await stage.pass(minuteMs / 2 + 1_000)
  await stage.callback(callbackId)
  assert.equal(stage.events.at(-1), 'CREATE_CHANNEL_MESSAGE')
})

test('a round releases a limited number of many waiting steps, and at last the other node has all of them', async (context) => {
  const stage = await openShared(context, () => shortage)
  const ids: string[] = []
  for (let count = 0; count < 2 * givenBackMax; count += 1) ids.push(await stage.send())
  const elsewhere: string[] = []
  while (elsewhere.length < ids.length) {
    const before = stage.store.written.filter((kind) => kind === 'RecordHandOff').length
    const attempts = stage.attempts.length
    await stage.pass(500)
    const written = stage.store.written.filter((kind) => kind === 'RecordHandOff').length - before
    assert.ok(written <= givenBackMax)
    assert.ok(stage.attempts.length - attempts <= 8, 'a round tries no more than there are places')
    elsewhere.push(...(await takeElsewhere(stage)))
    assert.ok(stage.clock.now() < 10 * minuteMs, `${elsewhere.length} of ${ids.length} went to the other node`)
  }
  assert.deepEqual(elsewhere.sort(), ids.sort())
})

test('without another node, or behind an endpoint that is throttled, no step is released', async (context) => {
  const alone = await openStage(context)
  alone.onAttempt = (attempt) => void alone.clock.at(alone.clock.now(), () => void attempt.end(shortage))
  const throttled = await openShared(context, () => ({ ...shortage, cause: 'throttled' }))
  for (const stage of [alone, throttled]) {
    const callbackId = await stage.send()
    for (let count = 0; count < 60; count += 1) {
      await stage.pass(1_000)
      assert.equal((await stage.step(callbackId)).owner, node.id)
    }
    assert.ok(!stage.store.written.includes('RecordHandOff'))
  }
})

test('steps whose rows cannot be written stay in memory', async (context) => {
  const stage = await openShared(context, () => shortage)
  const callbackId = await stage.send()
  await stage.pass(1_000)
  stage.store.failing = true
  await stage.pass(minuteMs)
  assert.equal((await stage.step(callbackId)).owner, node.id)
  stage.store.failing = false
  stage.onAttempt = () => {}
  await stage.pass(2 * minuteMs)
  await stage.callback(callbackId)
  assert.equal(stage.events.at(-1), 'CREATE_CHANNEL_MESSAGE')
})
