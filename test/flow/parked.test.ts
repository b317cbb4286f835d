import assert from 'node:assert/strict'
import { test } from 'node:test'
import { queueLimits } from '../../src/flow/step-queue.ts'
import { readOwnSteps } from '../../src/store/steps.ts'
import { type FlowStage, openStage } from '../support/flow-stage.ts'
import { channel, lobby, node, numberOf, openChannel, processors, twoDaysMs } from '../support/rows.ts'

const completed = { result: 'completed' } as const
const crashed = { result: 'crashed', reason: 'it threw' } as const

/** A processor that allows each message after so many milliseconds. */
function allowAll(stage: FlowStage, processorMs: number): void {
  stage.onAttempt = (attempt) => {
    const decide = async () => {
      await stage.decide(attempt.callbackId)
      void attempt.end(completed)
    }
    stage.clock.at(stage.clock.now() + processorMs, () => void decide())
  }
}

const sent = (stage: FlowStage) => stage.events.filter((event) => event === 'CREATE_CHANNEL_MESSAGE').length

test('a backlog beyond the limit of a channel is handed over in order, each once, without waiting for a lease', async (context) => {
  const stage = await openStage(context, { inFlightMax: 8 })
  const ids: string[] = []
  allowAll(stage, 50)
  for (let count = 0; count < 5 * queueLimits.channelStepsMax; count += 1) ids.push(await stage.send())
  assert.equal(stage.counts[0]?.waiting, queueLimits.channelStepsMax)
  await stage.pass(30_000 / 2)
  assert.equal(sent(stage), ids.length)
  assert.deepEqual(
    stage.attempts.map(({ callbackId }) => callbackId),
    ids,
  )
})

test('a backlog of many channels beyond the limit in all is handed over, each once, without waiting for a lease', async (context) => {
  const stage = await openStage(context, { inFlightMax: 8, queueLimits: { ...queueLimits, stepsMax: 30 } })
  const channels = Array.from({ length: 60 }, (_, index) => channel(`c${index}`))
  for (const one of channels) await openChannel(stage.store, one)
  allowAll(stage, 50)
  for (let count = 0; count < 3; count += 1) for (const one of channels) await stage.send({ channel_arn: one })
  assert.equal(stage.counts[0]?.waiting, 15)
  await stage.pass(30_000 / 2)
  assert.equal(sent(stage), 180)
  assert.equal(stage.attempts.length, 180)
})

test('a backlog survives a stop: the next start refills what exceeds its memory', async (context) => {
  const stage = await openStage(context, { inFlightMax: 8, queueLimits: { ...queueLimits, stepsMax: 100 } })
  const ids: string[] = []
  for (let count = 0; count < 150; count += 1) {
    ids.push(await stage.send())
    await stage.pass(1)
  }
  const inFlight = stage.attempts.map(({ callbackId }) => callbackId)
  for (const { handOver } of stage.attempts) handOver()
  await stage.pass(1_000)
  assert.equal((await stage.step(inFlight[0] ?? '')).state, 'AWAITING')
  await stage.stop()
  allowAll(stage, 50)
  await stage.start()
  await stage.pass(30_000 / 2)
  assert.deepEqual(
    stage.attempts.map(({ callbackId }) => callbackId),
    ids,
  )
  assert.equal(sent(stage), ids.length)
})

test('a parked step with a verdict or past its deadline is not handed over', async (context) => {
  const stage = await openStage(context, { inFlightMax: 1, queueLimits: { ...queueLimits, channelStepsMax: 1 } })
  const [first, second, decided, expired, last] = [
    await stage.send(),
    await stage.send(),
    await stage.send(),
    await stage.send({}, undefined, { deadlineMs: 1_000 }),
    await stage.send(),
  ]
  await stage.callback(decided ?? '')
  await stage.pass(1_000)
  assert.equal((await stage.step(expired ?? '')).state, 'EXPIRED')
  for (let count = 0; count < 3; count += 1) await stage.attempts.at(-1)?.end(completed)
  assert.deepEqual(
    stage.attempts.map(({ callbackId }) => callbackId),
    [first, second, last],
  )
})

test('parked steps are handed over after the clock was set back by an hour', async (context) => {
  const stage = await openStage(context, { inFlightMax: 1, queueLimits: { ...queueLimits, channelStepsMax: 1 } })
  const ids: string[] = []
  for (let count = 0; count < 5; count += 1) ids.push(await stage.send())
  await stage.pass(5 * 30_000)
  stage.clock.advance(-3_600_000)
  for (let count = 0; count < 5; count += 1) await stage.attempts.at(-1)?.end(completed)
  assert.deepEqual(
    stage.attempts.map(({ callbackId }) => callbackId),
    ids,
  )
})

test('a step that waits for its retry is not refilled before the retry is due', async (context) => {
  const stage = await openStage(context, { inFlightMax: 1, queueLimits: { ...queueLimits, channelStepsMax: 1 } })
  const ids: string[] = []
  for (let count = 0; count < 4; count += 1) ids.push(await stage.send())
  for (let count = 0; count < 4; count += 1) await stage.attempts.at(-1)?.end(crashed)
  assert.equal(stage.attempts.length, 4)
  await stage.pass(59_999)
  assert.equal(stage.attempts.length, 4)
  await stage.pass(1)
  assert.ok(stage.attempts.length > 4)
})

test('one function under several ARNs is refilled as one', async (context) => {
  const stage = await openStage(context, { inFlightMax: 1, queueLimits: { ...queueLimits, channelStepsMax: 1 } })
  allowAll(stage, 10)
  const versions = ['redact', 'redact:1', 'redact:2']
  for (let count = 0; count < 9; count += 1) {
    const [processor] = processors(['redact', 'ABORT'])
    const ResourceArn = `arn:aws:lambda:us-east-1:111122223333:function:${versions[count % 3]}`
    const Configuration = { Lambda: { ResourceArn, InvocationType: 'ASYNC' as const } }
    await stage.send({}, [{ ...(processor as NonNullable<typeof processor>), Configuration }])
  }
  await stage.pass(1_000)
  assert.equal(sent(stage), 9)
})

test('parked steps count as waiting: once after a new hand-off time, and again after a start', async (context) => {
  const stage = await openStage(context, { inFlightMax: 1, queueLimits: { ...queueLimits, channelStepsMax: 1 } })
  for (let count = 0; count < 5; count += 1) await stage.send()
  const backlog = { steps: 4, channels: 1, ofChannel: 4 }
  assert.deepEqual(stage.backlogOf('redact', lobby), backlog)
  await stage.pass(5 * 30_000)
  assert.deepEqual(stage.backlogOf('redact', lobby), backlog)
  await stage.stop()
  await stage.start()
  assert.deepEqual(stage.backlogOf('redact', lobby), backlog)
  for (let left = 3; left >= 0; left -= 1) {
    await stage.attempts.at(-1)?.end(completed)
    assert.equal(stage.backlogOf('redact', lobby).steps, left)
  }
})

test('a parked step with a verdict is counted until the rows of its channel are read', async (context) => {
  const stage = await openStage(context, { inFlightMax: 1, queueLimits: { ...queueLimits, channelStepsMax: 1 } })
  const ids: string[] = []
  for (let count = 0; count < 5; count += 1) ids.push(await stage.send())
  for (const id of ids.slice(2)) await stage.callback(id)
  for (let count = 0; count < 2; count += 1) await stage.attempts[count]?.end(completed)
  assert.equal(stage.backlogOf('redact', lobby).steps, 0)
})

test('a read that fails is retried a second later', async (context) => {
  const stage = await openStage(context, { inFlightMax: 1, queueLimits: { ...queueLimits, channelStepsMax: 1 } })
  for (let count = 0; count < 3; count += 1) await stage.send()
  stage.store.failingReads = true
  await stage.attempts[0]?.end(completed)
  await stage.attempts[1]?.end(completed)
  assert.equal(stage.attempts.length, 2)
  stage.store.failingReads = false
  await stage.pass(1_000)
  assert.equal(stage.attempts.length, 3)
  assert.equal(stage.errors.length, 1)
})

test('the steps of a refill are found by shard and time, not by an index that contains ended steps', async (context) => {
  const stage = await openStage(context)
  const asked: string[] = []
  const { read } = stage.store
  const spy = {
    ...read,
    all: <Row>(sql: string, ...values: Parameters<typeof read.all>[1][]) => {
      asked.push(sql)
      return read.all<Row>(sql, ...values)
    },
  }
  const range = {
    owner: node.id,
    channelId: numberOf(lobby),
    functionArn: 'f',
    dueFrom: 0,
    dueUntil: twoDaysMs,
    stepsMax: 10,
  }
  await readOwnSteps(spy, range)
  const plan = await read.all<{ detail: string }>(`EXPLAIN QUERY PLAN ${asked[0]}`, 'o', 1, 2, 3, 4, 'f', 10)
  assert.match(
    plan.map(({ detail }) => detail).join('; '),
    /USING INDEX flow_step_due \(owner=\? AND shard=\? AND due_at>\? AND due_at<\?\)/,
  )
})
