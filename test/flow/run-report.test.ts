import assert from 'node:assert/strict'
import { test } from 'node:test'
import { openStage } from '../support/flow-stage.ts'
import { lobby, processors, readJob, verdictOn } from '../support/rows.ts'

const absent = { result: 'unreached', reason: 'no such function', permanent: true } as const
const crashed = { result: 'crashed', reason: 'TypeError ERR_INVALID_ARG_TYPE' } as const
const completed = { result: 'completed' } as const

test('each run that ends is logged once, with its outcome, the processors that changed it, and its duration', async (context) => {
  const stage = await openStage(context)
  const names = ['redact', 'translate', 'sign'].map((name): [string, 'ABORT'] => [name, 'ABORT'])
  const first = await stage.send({}, processors(...names))
  const { message_id: messageId } = await stage.step(first)
  await stage.pass(100)
  await stage.callback(first, { text: { content: '"h***o"' } })
  await stage.callback(stage.attempts[1]?.callbackId ?? '')
  assert.deepEqual(stage.infos, [])
  await stage.pass(150)
  const last = stage.attempts[2]?.callbackId ?? ''
  await stage.callback(last, { text: { metadata: '"signed"' } })
  assert.deepEqual(stage.infos, [
    {
      text: 'channel flow run ended',
      channelArn: lobby,
      messageId,
      revision: 1,
      channelFlowArn: `${lobby.split('/channel/')[0]}/channel-flow/f`,
      outcome: 'SENT',
      stepState: 'ALLOWED',
      processor: 'sign',
      durationMs: 250,
      changedBy: ['redact', 'sign'],
    },
  ])
  for (const text of ['hello', 'h***o', 'signed', last]) assert.ok(!JSON.stringify(stage.infos).includes(text))
  assert.deepEqual(stage.runs, ['SENT'])
})

test('the line is written with the commit, and nothing is read for it', async (context) => {
  const stage = await openStage(context)
  const first = await stage.send({}, processors(['redact', 'ABORT'], ['sign', 'ABORT']))
  await stage.callback(first, { text: { content: '"h***o"' } })
  const last = await readJob(stage.store.read, stage.attempts.at(-1)?.callbackId ?? '')
  stage.store.failingReads = true
  await stage.store.commit(verdictOn(last))
  stage.store.failingReads = false
  assert.deepEqual(
    stage.infos.map((fields) => 'changedBy' in fields && fields.changedBy),
    [['redact']],
  )
})

test('a second verdict is not logged as a second run', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send()
  const results = await Promise.allSettled([
    stage.callback(callbackId, { deny: true }),
    stage.callback(callbackId, { deny: true }),
  ])
  assert.deepEqual(results.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  assert.deepEqual(stage.runs, ['DENIED'])
  assert.equal(stage.infos.length, 1)
})

test('runs that a FallbackAction or a deadline ends are logged, too', async (context) => {
  const stage = await openStage(context)
  await stage.send({}, processors(['gone', 'CONTINUE']))
  await stage.attempts[0]?.end(absent)
  await stage.send({}, processors(['gone', 'ABORT']))
  await stage.attempts[1]?.end(absent)
  await stage.send({}, processors(['silent', 'CONTINUE']), { deadlineMs: 1_000 })
  await stage.pass(1_000)
  assert.deepEqual(stage.runs, ['SENT', 'FAILED', 'FAILED'])
  assert.deepEqual(
    stage.infos.map((fields) => 'stepState' in fields && fields.stepState),
    ['UNREACHABLE', 'UNREACHABLE', 'EXPIRED'],
  )
})

test('after the last attempt the log says that the processor is given up, and how long the message waits', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send()
  for (const pauseMs of [60_000, 120_000, 0]) {
    await stage.attempts.at(-1)?.end(crashed)
    await stage.pass(pauseMs)
  }
  const { message_id: messageId, deadline_at, failure } = await stage.step(callbackId)
  assert.deepEqual(stage.warnings.at(-1), {
    channelArn: lobby,
    messageId,
    processor: 'redact',
    attempts: 3,
    waitsUntil: new Date(deadline_at).toISOString(),
    text: 'processor given up; the message waits for ChannelFlowCallback until its deadline',
  })
  assert.equal(stage.warnings.length, 4, 'one for each attempt, and this one')
  const [status] = stage.warnings
  assert.ok(status && 'failureReason' in status)
  assert.deepEqual([status.failureReason, failure], [crashed.reason, crashed.reason])
})

test('a processor that ends without its callback is logged, and a retry after a broken connection is not', async (context) => {
  const stage = await openStage(context)
  const callbackId = await stage.send()
  await stage.attempts[0]?.end({ result: 'crashed', reason: 'the connection was cut', retrySoon: true })
  await stage.pass(4_999)
  assert.equal(stage.attempts.length, 1)
  await stage.pass(1)
  assert.equal(stage.attempts.length, 2)
  await stage.attempts[1]?.end(completed)
  assert.equal(stage.warnings.length, 1, 'its callback may still be on its way')
  await stage.pass(1_000)
  await stage.quiet()
  const { attempts } = await stage.step(callbackId)
  assert.equal(attempts, 1)
  assert.deepEqual(
    stage.warnings.map((fields) => 'text' in fields && fields.text),
    [
      'Chime ChannelFlow Processing Status',
      'the processor ended without ChannelFlowCallback; the message waits for it',
    ],
  )
})
