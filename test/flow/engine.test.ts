import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Attempt, type FlowStage, openStage } from '../support/flow-stage.ts'
import { ana, lobby, node, processors, readJob, readMessage, twoDaysMs, verdictOn } from '../support/rows.ts'

const minuteMs = 60_000
const completed = { result: 'completed' } as const
const crashed = { result: 'crashed', reason: 'it threw' } as const
const absent = { result: 'unreached', reason: 'no such function', permanent: true } as const
const busy = { result: 'unreached', reason: 'too many requests', permanent: false } as const

test('a processor receives the message, and its verdict releases it, with two durable writes', async (context) => {
  const stage = await openStage(context)
  stage.store.written.length = 0
  const callbackId = await stage.send({ metadata: '"{}"' })
  const attempt = theOnly(stage)
  assert.equal(attempt.functionName, 'redact')
  assert.deepEqual(attempt.event, {
    EventType: 'CHANNEL_MESSAGE_EVENT',
    CallbackId: callbackId,
    ChannelMessage: {
      MessageId: (await stage.step(callbackId)).message_id,
      ChannelArn: lobby,
      Content: 'hello',
      Metadata: '{}',
      Sender: { Arn: ana, Name: 'Ana' },
      Persistence: 'PERSISTENT',
      Type: 'STANDARD',
      CreatedTimestamp: '1970-01-01T00:00:00.000Z',
    },
  })
  attempt.handOver()
  await stage.callback(callbackId)
  await attempt.end(completed)
  assert.deepEqual(stage.events, ['PENDING_CREATE_CHANNEL_MESSAGE', 'CREATE_CHANNEL_MESSAGE'])
  await stage.pass(minuteMs)
  const written = stage.store.written.filter((kind) => kind !== 'TakeSteps')
  assert.deepEqual(written, ['AcceptMessage', 'DecideStep'])
})

test('a deny ends the run: the next processor is not invoked', async (context) => {
  const stage = await openStage(context)
  await stage.callback(await stage.send({}, processors(['redact', 'ABORT'], ['translate', 'ABORT'])), { deny: true })
  assert.deepEqual(functionsOf(stage), ['redact'])
  assert.deepEqual(stage.events, ['PENDING_CREATE_CHANNEL_MESSAGE', 'DENIED_CREATE_CHANNEL_MESSAGE'])
})

test('each processor in turn receives the message with the changes of the ones before it', async (context) => {
  const stage = await openStage(context)
  const first = await stage.send({}, processors(['redact', 'ABORT'], ['translate', 'ABORT']))
  await stage.callback(first, { text: { content: '"h***o"', metadata: '"m"' } })
  const [, second] = stage.attempts
  assert.equal(second?.functionName, 'translate')
  assert.notEqual(second?.callbackId, first)
  assert.equal(second?.event.ChannelMessage.Content, 'h***o')
  await stage.callback(second?.callbackId ?? '', { text: { content: '"s***t"' } })
  const row = await readMessage(stage.store.read, (await stage.step(first)).message_id)
  assert.deepEqual([row?.status, row?.content, row?.metadata], ['SENT', '"s***t"', '"m"'])
})

test('a verdict before the end of the hand-off counts, and the hand-off then has no effect', async (context) => {
  const stage = await openStage(context)
  await stage.callback(await stage.send())
  stage.store.written.length = 0
  theOnly(stage).handOver()
  await theOnly(stage).end(completed)
  await stage.pass(minuteMs)
  assert.equal(stage.events.at(-1), 'CREATE_CHANNEL_MESSAGE')
  assert.ok(!stage.store.written.includes('RecordHandOff'))
})

test('a verdict during the attempt counts, with every outcome of the attempt', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send()
  theOnly(stage).handOver()
  await stage.callback(callbackId)
  await theOnly(stage).end(crashed)
  await stage.pass(10 * minuteMs)
  assert.equal(stage.attempts.length, 1)
  assert.deepEqual(stage.events, ['PENDING_CREATE_CHANNEL_MESSAGE', 'CREATE_CHANNEL_MESSAGE'])
})

test('a hand-off without a verdict is recorded after a second, with its new deadline', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send()
  await stage.pass(5_000)
  theOnly(stage).handOver()
  await stage.pass(999)
  assert.equal((await stage.step(callbackId)).handed_off_at, null)
  await stage.pass(1)
  await stage.quiet()
  const { state, handed_off_at, deadline_at } = await stage.step(callbackId)
  assert.deepEqual([state, handed_off_at, deadline_at], ['AWAITING', 5_000, 5_000 + twoDaysMs])
})

test('an outcome that waits for the store is not overtaken by its hand-off', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send()
  const busyStore = Promise.withResolvers<void>()
  const transaction = stage.store.transaction(() => busyStore.promise)
  theOnly(stage).handOver()
  const ended = theOnly(stage).end(crashed)
  await new Promise(setImmediate)
  stage.clock.advance(1_000)
  busyStore.resolve()
  await Promise.all([transaction, ended])
  const { owner, due_at, handed_off_at } = await stage.step(callbackId)
  assert.deepEqual([owner, due_at, handed_off_at], ['', minuteMs, 0])
})

test('a crash does not move the time of the hand-off, nor the deadline', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send()
  theOnly(stage).handOver()
  await stage.pass(5_000)
  await theOnly(stage).end(crashed)
  const { handed_off_at, deadline_at, due_at } = await stage.step(callbackId)
  assert.deepEqual([handed_off_at, deadline_at, due_at], [0, twoDaysMs, 5_000 + minuteMs])
})

test('a completed attempt is not a verdict: the message waits, and fails at its deadline', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send({}, processors(['redact', 'CONTINUE']))
  theOnly(stage).handOver()
  await theOnly(stage).end(completed)
  await stage.pass(twoDaysMs - 1)
  assert.equal((await stage.step(callbackId)).state, 'AWAITING')
  await stage.pass(1)
  assert.equal((await stage.step(callbackId)).state, 'EXPIRED')
  assert.deepEqual(stage.events, ['PENDING_CREATE_CHANNEL_MESSAGE', 'FAILED_CREATE_CHANNEL_MESSAGE'])
  assert.equal(stage.attempts.length, 1)
})

test('an unreachable processor fails the message with ABORT', async (context) => {
  const stage = await openStage(context)
  const { message_id } = await stage.step(await stage.send({}, processors(['gone', 'ABORT'], ['translate', 'ABORT'])))
  await theOnly(stage).end(absent)
  assert.deepEqual(functionsOf(stage), ['gone'])
  const row = await readMessage(stage.store.read, message_id)
  assert.deepEqual([row?.status, row?.status_detail], ['FAILED', 'Processor invocation failed: gone'])
})

test('an unreachable processor is skipped with CONTINUE', async (context) => {
  const stage = await openStage(context)
  await stage.send({}, processors(['gone', 'CONTINUE'], ['away', 'CONTINUE']))
  await theOnly(stage).end(absent)
  await stage.attempts[1]?.end(absent)
  assert.deepEqual(functionsOf(stage), ['gone', 'away'])
  assert.equal(stage.events.at(-1), 'CREATE_CHANNEL_MESSAGE')
})

test('a busy processor is tried three times, with growing pauses', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send()
  const triedAt: number[] = []
  for (const pauseMs of [500, 2_000, 0]) {
    triedAt.push(stage.clock.now())
    await stage.attempts.at(-1)?.end(busy)
    await stage.pass(pauseMs)
  }
  assert.deepEqual(triedAt, [0, 500, 2_500])
  assert.deepEqual(
    stage.attempts.map((attempt) => attempt.callbackId),
    [callbackId, callbackId, callbackId],
  )
  assert.equal(stage.events.at(-1), 'FAILED_CREATE_CHANNEL_MESSAGE')
})

test('a crashed attempt is retried with the same CallbackId after 60 and 120 seconds, and then not again', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send({}, processors(['redact', 'CONTINUE']))
  for (const pauseMs of [60_000, 120_000]) {
    const before = stage.attempts.length
    stage.attempts.at(-1)?.handOver()
    await stage.attempts.at(-1)?.end(crashed)
    await stage.pass(pauseMs - 1)
    assert.equal(stage.attempts.length, before)
    await stage.pass(1)
    assert.equal(stage.attempts.length, before + 1)
  }
  await stage.attempts.at(-1)?.end(crashed)
  await stage.pass(twoDaysMs - 180_001)
  assert.equal((await stage.step(callbackId)).state, 'AWAITING')
  await stage.pass(1)
  assert.deepEqual(
    stage.attempts.map((attempt) => attempt.callbackId),
    [callbackId, callbackId, callbackId],
  )
  assert.equal(stage.events.at(-1), 'FAILED_CREATE_CHANNEL_MESSAGE')
})

test('a short deadline is kept even while the attempt still runs', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send({}, undefined, { deadlineMs: 101 })
  theOnly(stage).handOver()
  await stage.quiet()
  assert.equal((await stage.step(callbackId)).state, 'AWAITING')
  await stage.pass(100)
  await stage.pass(1)
  assert.equal((await stage.step(callbackId)).state, 'EXPIRED')
  await theOnly(stage).end(completed)
  assert.deepEqual(stage.events, ['PENDING_CREATE_CHANNEL_MESSAGE', 'FAILED_CREATE_CHANNEL_MESSAGE'])
})

test('a short deadline starts again at the hand-off, and the row has it before the old deadline passes', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send({}, undefined, { deadlineMs: 1_000 })
  await stage.pass(600)
  theOnly(stage).handOver()
  await stage.pass(400)
  assert.equal((await stage.step(callbackId)).deadline_at, 1_600)
  await stage.pass(599)
  await stage.callback(callbackId)
  assert.equal(stage.events.at(-1), 'CREATE_CHANNEL_MESSAGE')
})

test('an attempt that a stop interrupts is repeated after the start, with the same CallbackId', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send()
  theOnly(stage).handOver()
  await stage.stop()
  await stage.start()
  assert.equal(theOnly(stage).callbackId, callbackId)
  await stage.callback(callbackId)
  assert.equal(stage.events.at(-1), 'CREATE_CHANNEL_MESSAGE')
})

test('the timeline has the repetition of a hand-off that was written before the stop', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send()
  for (const time of ['first', 'second']) {
    theOnly(stage).handOver()
    await stage.pass(1_000)
    await stage.quiet()
    if (time === 'first') await stage.stop()
    if (time === 'first') await stage.start()
  }
  const { attempts_json, handed_off_at } = await stage.step(callbackId)
  assert.deepEqual([attempts_json, handed_off_at], ['[{"at":1000,"what":"handed again"}]', 0])
})

test('messages that a stop interrupts are resumed in the order in which they were sent', async (context) => {
  const stage = await openStage(context, { inFlightMax: 100 })
  const sent: string[] = []
  for (let count = 0; count < 20; count += 1) {
    sent.push(await stage.send())
    await stage.pass(1)
  }
  await stage.stop()
  await stage.start()
  assert.deepEqual(
    stage.attempts.map(({ callbackId }) => callbackId),
    sent,
  )
})

test('a start does not shorten the pause after a crash', async (context) => {
  const stage = await openStage(context)
  await stage.send()
  await theOnly(stage).end(crashed)
  await stage.pass(10_000)
  await stage.stop()
  await stage.start()
  await stage.pass(49_999)
  assert.equal(stage.attempts.length, 0)
  await stage.pass(1)
  assert.equal(stage.attempts.length, 1)
})

test('a deadline that passed during a stop is found at the start', async (context) => {
  const stage = await openStage(context)
  await stage.send({}, undefined, { deadlineMs: 1_000 })
  await stage.stop()
  stage.clock.advance(5_000)
  await stage.start()
  assert.equal(stage.attempts.length, 0)
  assert.equal(stage.events.at(-1), 'FAILED_CREATE_CHANNEL_MESSAGE')
})

test('after a stop nothing is handed over, and nothing is written', async (context) => {
  const stage = await openStage(context)
  await stage.send()
  await stage.stop()
  const callbackId = await stage.send()
  stage.store.written.length = 0
  await theOnly(stage).end(crashed)
  await stage.pass(minuteMs)
  assert.equal(stage.attempts.length, 1)
  assert.deepEqual(stage.store.written, [])
  assert.equal((await stage.step(callbackId)).owner, node.id)
})

test('a processor has at most as many events in flight as it has places, and a stuck one delays no other', async (context) => {
  const stage = await openStage(context, { inFlightMax: 2 })
  for (let count = 0; count < 5; count += 1) await stage.send({}, processors(['stuck', 'ABORT']))
  await stage.send({}, processors(['swift', 'ABORT']))
  assert.deepEqual(functionsOf(stage), ['stuck', 'stuck', 'swift'])
  await stage.attempts[0]?.end(completed)
  assert.deepEqual(functionsOf(stage), ['stuck', 'stuck', 'swift', 'stuck'])
})

test('steps that wait for a slow processor keep their owner and order, without writes', async (context) => {
  const stage = await openStage(context, { inFlightMax: 2 })
  const sent: string[] = []
  for (let count = 0; count < 50; count += 1) sent.push(await stage.send())
  stage.store.written.length = 0
  stage.store.reads = 0
  for (let count = 0; count < 50; count += 1) {
    await stage.pass(10_000)
    assert.equal(stage.attempts.length, Math.min(count + 2, 50))
    await stage.callback(stage.attempts[count]?.callbackId ?? '')
    await stage.attempts[count]?.end(completed)
  }
  assert.deepEqual(
    stage.attempts.map(({ callbackId }) => callbackId),
    sent,
  )
  assert.deepEqual(stage.store.written, Array(50).fill('DecideStep'))
  assert.equal(stage.store.reads, 3 * 50, 'those of the verdicts')
})

test('an owned step is due at its deadline, and its hand-off does not change due_at', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send({}, undefined, { deadlineMs: 10_000 })
  await stage.pass(5_000)
  theOnly(stage).handOver()
  await stage.pass(1_000)
  await stage.quiet()
  const { owner, due_at, deadline_at } = await stage.step(callbackId)
  assert.deepEqual([owner, due_at, deadline_at], [node.id, 10_000, 15_000])
  await stage.pass(4_000)
  await stage.quiet()
  assert.equal((await stage.step(callbackId)).due_at, 15_000, 'the new deadline, when the old one has come')
  await stage.pass(4_999)
  assert.equal((await stage.step(callbackId)).state, 'AWAITING')
  await stage.pass(1)
  assert.equal((await stage.step(callbackId)).state, 'EXPIRED')
})

test('a message whose deadline passes in the queue fails without a hand-off', async (context) => {
  const stage = await openStage(context, { inFlightMax: 1 })
  await stage.send()
  const callbackId = await stage.send({}, undefined, { deadlineMs: 1_000 })
  await stage.pass(1_000)
  assert.equal((await stage.step(callbackId)).state, 'EXPIRED')
  await theOnly(stage).end(completed)
  assert.equal(stage.attempts.length, 1)
})

test('a verdict in the commit that takes its step counts: the processor is not invoked again', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send()
  await theOnly(stage).end(crashed)
  const job = await readJob(stage.store.read, callbackId)
  await stage.pass(59_999)
  stage.store.written.length = 0
  stage.clock.advance(1)
  assert.deepEqual(stage.store.written, ['TakeSteps'])
  await stage.store.commit(verdictOn(job, {}, stage.clock.now()))
  await stage.quiet()
  assert.equal(stage.attempts.length, 1)
  assert.equal(stage.events.at(-1), 'CREATE_CHANNEL_MESSAGE')
})

test('an attempt that ends while other steps are found expired is not treated as one without an owner', async (context) => {
  const stage = await openStage(context, { inFlightMax: 8 })
  for (let count = 0; count < 3; count += 1) await stage.send({}, undefined, { deadlineMs: 30_000 })
  const callbackId = await stage.send()
  stage.clock.advance(30_000)
  await stage.attempts[3]?.end(completed)
  await stage.pass(1_000)
  assert.equal((await stage.step(callbackId)).state, 'AWAITING')
  assert.equal(stage.attempts.length, 4)
})

test('an outcome that cannot be written is written after a pause, and the processor is not called again', async (context) => {
  const stage = await openStage(context)
  await stage.send()
  stage.store.failing = true
  await theOnly(stage).end(absent)
  await stage.pass(999)
  stage.store.failing = false
  await stage.pass(1)
  await stage.quiet()
  assert.deepEqual(stage.events, ['PENDING_CREATE_CHANNEL_MESSAGE', 'FAILED_CREATE_CHANNEL_MESSAGE'])
  assert.equal(stage.attempts.length, 1)
})

test('a failed read of due steps is retried a second later', async (context) => {
  const stage = await openStage(context)
  await stage.send()
  await theOnly(stage).end(crashed)
  stage.store.failing = true
  await stage.pass(60_500)
  stage.store.failing = false
  await stage.pass(500)
  assert.equal(stage.attempts.length, 2)
})

test('a failure is logged in the words of AWS, without text and CallbackId', async (context) => {
  const stage = await openStage(context)
  const { message_id: messageId, callback_id } = await stage.step(await stage.send())
  await theOnly(stage).end(absent)
  assert.deepEqual(stage.warnings, [
    {
      eventType: 'ProcessorInvocationFailure',
      account: '111122223333',
      appInstanceArn: lobby.split('/channel/')[0],
      channelArn: lobby,
      messageId,
      processor: 'redact',
      processorResourceArn: 'arn:aws:lambda:us-east-1:111122223333:function:redact',
      failureReason: 'no such function',
      fallbackAction: 'ABORT',
      stepState: 'UNREACHABLE',
      attempts: 0,
      text: 'Chime ChannelFlow Processing Status',
    },
  ])
  assert.ok(!JSON.stringify(stage.warnings).includes(callback_id))
})

function theOnly({ attempts }: FlowStage): Attempt {
  assert.equal(attempts.length, 1)
  return attempts[0] as Attempt
}

const functionsOf = ({ attempts }: FlowStage) => attempts.map(({ functionName }) => functionName)
