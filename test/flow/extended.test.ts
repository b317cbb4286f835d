import assert from 'node:assert/strict'
import { test } from 'node:test'
import { queueLimits } from '../../src/flow/step-queue.ts'
import { extendDeadline } from '../../src/store/extensions.ts'
import { randomFrom } from '../cluster/random.ts'
import { type FlowStage, openStage } from '../support/flow-stage.ts'

const deadlineMs = 30_000
const completed = { result: 'completed' } as const
const crashed = { result: 'crashed', reason: 'it threw' } as const

/** Extends the deadline as the API of any node does: the engine is not notified. */
async function extend(stage: FlowStage, callbackId: string, byMs = deadlineMs): Promise<void> {
  const step = await stage.step(callbackId)
  const extension = { at: stage.clock.now(), byMs, keyId: 'AKIAOPERATOR', latestAt: 1e9 }
  const result = await stage.store.transaction((transaction) => extendDeadline(transaction, step, extension))
  assert.equal(result, 'extended')
}

const failures = (stage: FlowStage) => stage.events.filter((event) => event === 'FAILED_CREATE_CHANNEL_MESSAGE').length

test('a step at its processor outlives its old deadline, and its processor is not invoked again', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send({}, undefined, { deadlineMs })
  await stage.pass(100)
  stage.attempts[0]?.handOver()
  await stage.pass(5_000)
  await extend(stage, callbackId)
  await stage.pass(deadlineMs)
  assert.deepEqual([failures(stage), stage.attempts.length], [0, 1])
  await stage.callback(callbackId)
  assert.equal(stage.events.at(-1), 'CREATE_CHANNEL_MESSAGE')
})

test('an attempt that ends after the old deadline counts as one before it', async (context) => {
  for (const [end, attempts] of [
    [completed, 1],
    [crashed, 2],
  ] as const) {
    const stage = await openStage(context)
    const callbackId = await stage.send({}, undefined, { deadlineMs })
    await stage.pass(100)
    stage.attempts[0]?.handOver()
    await stage.pass(5_000)
    await extend(stage, callbackId, 10 * deadlineMs)
    await stage.pass(deadlineMs)
    await stage.attempts[0]?.end(end)
    await stage.pass(59_000)
    assert.equal(stage.attempts.length, 1)
    await stage.pass(2_000)
    assert.deepEqual([failures(stage), stage.attempts.length], [0, attempts])
  }
})

test('an extension before the hand-off is written stays, and the step ends at the extended deadline', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send({}, undefined, { deadlineMs })
  stage.attempts[0]?.handOver()
  await extend(stage, callbackId)
  await stage.pass(1_000)
  assert.deepEqual((await stage.step(callbackId)).handed_off_at, 0)
  await stage.pass(2 * deadlineMs - 1_001)
  assert.equal(failures(stage), 0)
  await stage.pass(1)
  assert.equal(failures(stage), 1)
  await stage.attempts[0]?.end(completed)
  assert.equal(stage.attempts.length, 1)
})

test('a step that waits for a place gets one after its old deadline', async (context) => {
  const stage = await openStage(context, { inFlightMax: 1 })
  await stage.send({}, undefined, { deadlineMs: 100_000 })
  const callbackId = await stage.send({}, undefined, { deadlineMs })
  await extend(stage, callbackId)
  await stage.pass(deadlineMs + 1)
  await stage.attempts[0]?.end(completed)
  assert.equal(stage.attempts[1]?.callbackId, callbackId)
  stage.attempts[1]?.handOver()
  await stage.pass(deadlineMs - 1)
  assert.equal(failures(stage), 0, 'its time begins again at the hand-off')
})

test('a parked step is handed over after its old deadline', async (context) => {
  const limits = { ...queueLimits, channelStepsMax: 1 }
  const stage = await openStage(context, { inFlightMax: 1, queueLimits: limits })
  const ids: string[] = []
  for (let count = 0; count < 4; count += 1) ids.push(await stage.send({}, undefined, { deadlineMs }))
  for (const id of ids) await extend(stage, id)
  await stage.pass(deadlineMs + 1)
  assert.equal(failures(stage), 0)
  for (let count = 0; count < ids.length; count += 1) await stage.attempts[count]?.end(completed)
  assert.deepEqual(
    stage.attempts.map((attempt) => attempt.callbackId),
    ids,
  )
})

test('a step that waits for its verdict is not handed over again at its old deadline', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send({}, undefined, { deadlineMs })
  await stage.attempts[0]?.end(completed)
  await stage.pass(1_000)
  await extend(stage, callbackId)
  await stage.pass(2 * deadlineMs - 1_001)
  assert.deepEqual([failures(stage), stage.attempts.length], [0, 1])
  await stage.pass(1)
  assert.equal(failures(stage), 1)
})

test('a retry that the old deadline did not leave time for is made there', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send({}, undefined, { deadlineMs })
  await extend(stage, callbackId, 100_000)
  await stage.attempts[0]?.end(crashed)
  await stage.pass(deadlineMs)
  assert.deepEqual([failures(stage), stage.attempts.length], [0, 2])
})

test('an extended step is handed over again after a restart, even if its old deadline passed meanwhile', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send({}, undefined, { deadlineMs })
  stage.attempts[0]?.handOver()
  await extend(stage, callbackId)
  await stage.stop()
  stage.clock.advance(deadlineMs + 1)
  await stage.start()
  await stage.pass(1_000)
  assert.deepEqual([failures(stage), stage.attempts.length], [0, 1])
  await stage.callback(callbackId)
  assert.equal(stage.events.at(-1), 'CREATE_CHANNEL_MESSAGE')
})

test('a step whose outcome cannot be written until the old deadline has passed is handed over again', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send({}, undefined, { deadlineMs })
  await extend(stage, callbackId)
  stage.store.failing = true
  await stage.attempts[0]?.end(crashed)
  await stage.pass(deadlineMs - 10)
  stage.store.failing = false
  await stage.pass(deadlineMs / 2)
  assert.deepEqual([failures(stage), stage.attempts.length], [0, 2])
})

test('an extension just before the expiry is written keeps the message, and its processor receives it again', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send({}, undefined, { deadlineMs })
  stage.attempts[0]?.handOver()
  await stage.pass(2_000)
  let expiries = 0
  stage.store.beforeCommit = async (change) => {
    if (change.kind !== 'DecideStep' || change.step.state !== 'EXPIRED') return
    expiries += 1
    const { step } = change
    const extension = { at: stage.clock.now() - 1, byMs: deadlineMs, keyId: 'AKIAOPERATOR', latestAt: 1e9 }
    await stage.store.transaction((transaction) => extendDeadline(transaction, step, extension))
    stage.store.beforeCommit = undefined
  }
  await stage.pass(deadlineMs)
  assert.equal(expiries, 1)
  assert.deepEqual([failures(stage), stage.attempts.length], [0, 2])
  await stage.callback(callbackId)
  assert.equal(stage.events.at(-1), 'CREATE_CHANNEL_MESSAGE')
})

for (let seed = 1; seed <= 8; seed += 1) {
  test(`in any order of events, no message fails before its extended deadline, and all end (seed ${seed})`, async (context) => {
    const random = randomFrom(seed)
    const below = (limit: number) => Math.floor(random() * limit)
    const stage = await openStage(context, { inFlightMax: 2, queueLimits: { ...queueLimits, channelStepsMax: 3 } })
    /** The deadline that the operator was told, by CallbackId. */
    const told = new Map<string, number>()
    const isEnded = new Set<unknown>()
    const attempt = () => {
      const open = stage.attempts.filter((one) => !isEnded.has(one))
      return open[below(open.length)]
    }
    const happenings = [
      async () => void (told.size < 9 && told.set(await stage.send({}, undefined, { deadlineMs }), 0)),
      async () => attempt()?.handOver(),
      async () => {
        const one = attempt()
        isEnded.add(one)
        await one?.end(below(2) === 0 ? completed : crashed)
      },
      async () => {
        const id = [...told.keys()][below(told.size)]
        if (id === undefined || (await stage.step(id)).decided_at !== null) return
        if ((await stage.step(id)).deadline_at <= stage.clock.now()) return
        await extend(stage, id, 20_000)
        told.set(id, (await stage.step(id)).deadline_at)
      },
      async () => stage.pass(below(12_000)),
      async () => {
        stage.store.failing = true
        await stage.pass(below(6_000))
        stage.store.failing = false
      },
      async () => {
        if (below(4) > 0) return
        await stage.stop()
        stage.clock.advance(below(5_000))
        await stage.start()
      },
    ]
    for (let count = 0; count < 120; count += 1) {
      await happenings[below(happenings.length)]?.()
      await stage.quiet()
    }
    await stage.pass(900_000)
    assert.ok(told.size > 3)
    for (const [id, until] of told) {
      const { state, decided_at, deadline_at } = await stage.step(id)
      assert.equal(state, 'EXPIRED')
      assert.ok((decided_at ?? 0) >= deadline_at && deadline_at >= until, `${decided_at} ${deadline_at} ${until}`)
    }
    assert.ok([...told.values()].some((until) => until > 0))
  })
}
