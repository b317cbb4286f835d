import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { HandOff } from '../../src/processor/target.ts'
import { type Attempt, type FlowStage, openStage } from '../support/flow-stage.ts'
import { channel, openChannel, processors, readMessage } from '../support/rows.ts'

const minuteMs = 60_000
const shortage = { result: 'deferred', reason: 'EMFILE: too many open files', cause: 'descriptors' } as const
const absent = { result: 'unreached', reason: 'no such function', permanent: true } as const
const completed = { result: 'completed' } as const

/** Processors whose hand-offs have the outcome that this function returns. */
function answerAll(stage: FlowStage, answer: (attempt: Attempt) => HandOff | undefined): void {
  stage.onAttempt = (attempt) => {
    const handOff = answer(attempt)
    if (handOff) stage.clock.at(stage.clock.now(), () => void attempt.end(handOff))
  }
}

for (const fallback of ['CONTINUE', 'ABORT'] as const) {
  test(`during a shortage a message stays PENDING with ${fallback}, and then ends as its processor says`, async (context) => {
    const stage = await openStage(context)
    let isShort = true
    answerAll(stage, () => (isShort ? shortage : undefined))
    const callbackId = await stage.send({}, processors(['redact', fallback]))
    const before = await stage.step(callbackId)
    await stage.pass(10 * minuteMs)
    const { due_at, ...row } = await stage.step(callbackId)
    assert.deepEqual({ ...row, due_at: before.due_at }, { ...before }, 'no try, no attempt, no failure')
    assert.ok(due_at > stage.clock.now(), 'its lease is renewed')
    assert.equal((await readMessage(stage.store.read, row.message_id))?.status, 'PENDING')
    assert.ok(stage.attempts.length > 10)

    isShort = false
    await stage.pass(30_000)
    const attempts = stage.attempts.length
    stage.attempts.at(-1)?.handOver()
    await stage.callback(callbackId, { deny: true })
    await stage.attempts.at(-1)?.end(completed)
    await stage.pass(10 * minuteMs)
    assert.deepEqual(stage.events, ['PENDING_CREATE_CHANNEL_MESSAGE', 'DENIED_CREATE_CHANNEL_MESSAGE'])
    assert.equal(stage.attempts.length, attempts, 'it was handed over once')
  })
}

test('after a shortage, an absent processor gets its three tries, and then the FallbackAction applies', async (context) => {
  const stage = await openStage(context)
  const answers: HandOff[] = [shortage, shortage, absent]
  answerAll(stage, () => answers.shift())
  const callbackId = await stage.send({}, processors(['gone', 'CONTINUE']))
  await stage.pass(minuteMs)
  const { state, tries, attempts } = await stage.step(callbackId)
  assert.deepEqual([state, tries, attempts], ['UNREACHABLE', 1, 0])
})

test('a deadline that passes during a shortage fails the message, with CONTINUE as well', async (context) => {
  const stage = await openStage(context)
  answerAll(stage, () => shortage)
  const callbackId = await stage.send({}, processors(['redact', 'CONTINUE']), { deadlineMs: 45_000 })
  await stage.pass(44_999)
  assert.equal((await stage.step(callbackId)).state, 'DISPATCHING')
  await stage.pass(1)
  const { state, message_id } = await stage.step(callbackId)
  assert.equal(state, 'EXPIRED')
  assert.equal((await readMessage(stage.store.read, message_id))?.status, 'FAILED')
  const attempts = stage.attempts.length
  await stage.pass(10 * minuteMs)
  assert.equal(stage.attempts.length, attempts)
})

test('the pauses grow from 1 to 30 s, with jitter of a half, and start again after a success', async (context) => {
  const stage = await openStage(context)
  let isShort = true
  answerAll(stage, () => (isShort ? shortage : undefined))
  await stage.send()
  await stage.pass(100_000)
  const pauses = () => stage.attempts.slice(1).map(({ at }, index) => at - (stage.attempts[index]?.at ?? 0))
  assert.deepEqual(pauses(), [500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000, 15_000, 15_000])
  isShort = false
  await stage.pass(15_000)
  await stage.attempts.at(-1)?.end(completed)
  isShort = true
  await stage.send()
  const { length } = stage.attempts
  await stage.pass(1_500)
  assert.deepEqual(pauses().slice(length - 1), [500, 1_000])
})

test('the pauses grow once for a round, however many events fail in it', async (context) => {
  const stage = await openStage(context, { inFlightMax: 8 })
  await openChannel(stage.store, channel('second'))
  answerAll(stage, () => shortage)
  for (let count = 0; count < 20; count += 1) await stage.send()
  await stage.send({ channel_arn: channel('second') })
  await stage.pass(minuteMs)
  const rounds = [...new Set(stage.attempts.map(({ at }) => at))]
  assert.deepEqual(rounds, [0, 500, 1_500, 3_500, 7_500, 15_500, 30_500, 45_500])
  assert.ok(stage.attempts.length <= rounds.length * 8)
})

test('a late failure of an earlier round begins no pause, and its event is handed over again at once', async (context) => {
  const stage = await openStage(context)
  await stage.send()
  await stage.send()
  const [first, second] = stage.attempts
  await first?.end(shortage)
  await stage.pass(500)
  assert.equal(stage.attempts.length, 3)
  await second?.end(shortage)
  assert.equal(stage.attempts.length, 4)
  await stage.attempts[2]?.end(shortage)
  await stage.attempts[3]?.end(shortage)
  await stage.pass(999)
  assert.equal(stage.attempts.length, 4)
  await stage.pass(1)
  assert.equal(stage.attempts.length, 6)
})

test('deferred messages keep their order', async (context) => {
  const stage = await openStage(context, { inFlightMax: 3 })
  const sent: string[] = []
  for (let count = 0; count < 5; count += 1) sent.push(await stage.send())
  for (const index of [1, 0, 2]) await stage.attempts[index]?.end(shortage)
  await stage.pass(500)
  assert.deepEqual(
    stage.attempts.slice(3).map(({ callbackId }) => callbackId),
    sent.slice(0, 3),
  )
})

test('a function that pauses delays no other', async (context) => {
  const stage = await openStage(context)
  answerAll(stage, ({ functionName }) => (functionName === 'short' ? shortage : undefined))
  await stage.send({}, processors(['short', 'ABORT']))
  await stage.send({}, processors(['swift', 'ABORT']))
  assert.equal(stage.attempts.at(-1)?.functionName, 'swift')
  assert.deepEqual(stage.counts, [
    { processor: 'short', waiting: 1, inFlight: 0 },
    { processor: 'swift', waiting: 0, inFlight: 1 },
  ])
})

test('a shortage is reported with its kind; a throttled endpoint and a stop are not reported', async (context) => {
  const stage = await openStage(context)
  await stage.send()
  for (const cause of ['descriptors', 'throttled', 'closing', 'memory'] as const) {
    await stage.attempts.at(-1)?.end({ result: 'deferred', reason: 'why', cause })
    await stage.pass(30_000)
  }
  assert.deepEqual(stage.shortages, ['descriptors', 'memory'])
  assert.deepEqual(stage.events, ['PENDING_CREATE_CHANNEL_MESSAGE'])
})

test('a stop during a shortage leaves the step to the next start', async (context) => {
  const stage = await openStage(context)
  answerAll(stage, () => shortage)
  const callbackId = await stage.send({}, processors(['redact', 'CONTINUE']))
  await stage.pass(5_000)
  await stage.stop()
  stage.onAttempt = () => {}
  await stage.start()
  assert.deepEqual(
    stage.attempts.map((attempt) => attempt.callbackId),
    [callbackId],
  )
})

test('a target that throws is not a failure of the processor: the event is handed over again', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send({}, processors(['redact', 'CONTINUE']))
  await stage.attempts[0]?.fail(new Error('a bug'))
  assert.equal((await stage.step(callbackId)).state, 'DISPATCHING')
  await stage.pass(500)
  assert.equal(stage.attempts.length, 2)
  await stage.callback(callbackId)
  assert.equal(stage.events.at(-1), 'CREATE_CHANNEL_MESSAGE')
  assert.deepEqual(
    stage.errors.map((fields) => 'text' in fields && fields.text),
    ['hand-off failed; trying again'],
  )
})

test('a message whose event cannot be built delays no other one, and fails at its deadline', async (context) => {
  const stage = await openStage(context)
  await stage.stop()
  const broken = await stage.send({}, processors(['redact', 'CONTINUE']), { deadlineMs: 10 * minuteMs })
  const { message_id } = await stage.step(broken)
  await stage.store.transaction((transaction) =>
    transaction.run('UPDATE channel_message SET content = $1 WHERE message_id = $2', 'secret words', message_id),
  )
  await stage.start()
  await stage.callback(await stage.send())
  assert.deepEqual([stage.attempts.length, stage.events.at(-1)], [1, 'CREATE_CHANNEL_MESSAGE'])
  await stage.pass(5 * minuteMs)
  assert.equal((await stage.step(broken)).state, 'DISPATCHING')
  assert.ok(stage.errors.length >= 2 && stage.errors.length <= 1 + (5 * minuteMs) / 30_000)
  assert.ok(!JSON.stringify(stage.errors).includes('secret'))
  await stage.pass(5 * minuteMs)
  assert.equal((await stage.step(broken)).state, 'EXPIRED')
})

test('while outcomes cannot be written, the hand-offs pause', async (context) => {
  const stage = await openStage(context)
  stage.store.failing = true
  answerAll(stage, () => completed)
  await stage.pass(minuteMs)
  stage.store.failing = false
  for (let count = 0; count < 3; count += 1) await stage.send()
  stage.store.failing = true
  await stage.pass(5 * minuteMs)
  assert.ok(stage.attempts.length <= 3, `${stage.attempts.length} attempts`)
  assert.deepEqual(stage.events, Array(3).fill('PENDING_CREATE_CHANNEL_MESSAGE'))
})
