import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { free } from '../../../src/store/steps.ts'
import type { Store } from '../../../src/store/store.ts'
import type { StepRow } from '../../../src/store/tables.ts'
import { carillon } from '../../support/carillon.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate } from '../../support/population.ts'
import { assertRefused } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'
import { until } from '../../support/until.ts'

const clock = new ManualClock(Date.now())
let store!: Store
const server = await startTestServer({ clock, aroundStore: (opened) => (store = opened) })
const people = await populate(server)
await people.attachFlow(['first', 'second'])

const again = async (messageId: string | undefined, body: object = {}) => {
  const answer = await server.call('POST', `/carillon/v1/messages/${messageId}?operation=again`, { body })
  return answer.status === 200 ? answer.body.Result : answer.type
}

const stepOf = async (callbackId: string) =>
  (await store.read.get<StepRow>('SELECT * FROM flow_step WHERE callback_id = $1', callbackId)) ?? assert.fail()

const attemptsOf = async (messageId: string | undefined) =>
  (await server.call('GET', `/carillon/v1/messages/${messageId}/timeline`)).body.Runs[0].Steps[0].Attempts

/** Sends a message whose processor has ended without a callback. */
async function sendEnded() {
  const event = await people.sendHeld()
  await until(async () => {
    clock.advance(1_000)
    return (await stepOf(event.CallbackId)).owner === free
  })
  return event
}

suite('again', () => {
  test('hands a message that waits for its callback to its processor, with the same CallbackId', async () => {
    const event = await sendEnded()
    const { MessageId } = event.ChannelMessage
    assert.equal(await again(MessageId), 'HANDED_AGAIN')
    const second = await server.processors.next(MessageId)
    assert.equal(second.CallbackId, event.CallbackId)
    const what = (await attemptsOf(MessageId)).map(({ What, AccessKeyId }: { [member: string]: string }) => [
      What,
      AccessKeyId,
    ])
    assert.deepEqual(what, [
      ['ended without a callback', undefined],
      ['handed again', server.credentials.accessKeyId],
    ])
    await people.allow(second)
    await people.allow(await server.processors.nextAfter(event))
    assert.equal(await again(MessageId), 'NotFoundException')
  })

  test('hands a message whose processor has ended within the last second', async () => {
    const { ChannelMessage } = await people.sendHeld()
    await until(async () => (await again(ChannelMessage.MessageId)) === 'HANDED_AGAIN')
    await people.deny(await server.processors.next(ChannelMessage.MessageId))
  })

  test('hands a message that is at its processor for long: the first verdict wins, and the first end changes nothing', async () => {
    const release = server.processors.hold()
    const event = await people.sendHeld()
    const { CallbackId, ChannelMessage } = event
    assert.equal(await again(ChannelMessage.MessageId), 'NOT_NEEDED', 'it has just been handed over')
    await until(async () => {
      clock.advance(1_000)
      return (await stepOf(CallbackId)).state === 'AWAITING'
    })
    assert.notEqual((await stepOf(CallbackId)).owner, free)
    assert.equal(await again(ChannelMessage.MessageId), 'HANDED_AGAIN')
    const second = await server.processors.next(ChannelMessage.MessageId)
    assert.equal(second.CallbackId, CallbackId)
    await people.deny(second)
    await assertRefused(people.deny(event), 'Forbidden')
    release()
  })

  test('tries a message at once whose retry is due later, with all of its attempts', async () => {
    const event = await sendEnded()
    const { CallbackId, ChannelMessage } = event
    const dueAt = clock.now() + 60_000
    await store.write(
      `UPDATE flow_step SET state = 'DISPATCHING', attempts = 2, due_at = $2 WHERE callback_id = $1`,
      CallbackId,
      dueAt,
    )
    assert.equal(await again(ChannelMessage.MessageId), 'HANDED_AGAIN')
    await people.deny(await server.processors.next(ChannelMessage.MessageId))
    const { state, attempts } = await stepOf(CallbackId)
    assert.deepEqual([state, attempts], ['DENIED', 0])
  })

  test('takes a message over that another node has given to its processor, whose outcome then is not written', async () => {
    const event = await sendEnded()
    const { CallbackId, ChannelMessage } = event
    await store.write(`UPDATE flow_step SET owner = 'node-2' WHERE callback_id = $1`, CallbackId)
    assert.equal(await again(ChannelMessage.MessageId), 'HANDED_AGAIN')
    assert.equal((await server.processors.next(ChannelMessage.MessageId)).CallbackId, CallbackId)
    const step = await stepOf(CallbackId)
    assert.notEqual(step.owner, 'node-2')
    const row = { ...step, channel_arn: people.channelArn, attempts: 1, owner: free }
    const outcome = await store.commit({ kind: 'RecordHandOff', step: row, expectedOwner: 'node-2' })
    assert.equal(outcome.result, 'rejected')
    await people.deny(event)
  })

  test('is not needed by a message that waits for a place, on this node or on another one', async () => {
    await server.call('POST', '/carillon/v1/processors/first?operation=pause', { body: {} })
    clock.advance(1_000)
    await until(async () => (await server.call('GET', '/carillon/v1/processors')).body.Processors[0]?.Paused === true)
    const { MessageId } = await people.send()
    const step = async () =>
      (await store.read.all<StepRow>('SELECT * FROM flow_step WHERE message_id = $1', MessageId!))[0]!
    const { callback_id, owner } = await step()
    assert.equal(await again(MessageId), 'NOT_NEEDED')
    await store.write(`UPDATE flow_step SET owner = 'node-2' WHERE callback_id = $1`, callback_id)
    assert.equal(await again(MessageId), 'NOT_NEEDED')
    await store.write('UPDATE flow_step SET owner = $2 WHERE callback_id = $1', callback_id, owner)
    assert.deepEqual(await attemptsOf(MessageId), [])
    await server.call('POST', '/carillon/v1/processors/first?operation=resume', { body: {} })
    clock.advance(1_000)
    await people.deny(await server.processors.next(MessageId))
  })

  test('is refused for a message that has ended, or is at another processor, and says why', async () => {
    const held = await people.sendHeld()
    assert.equal(await again(held.ChannelMessage.MessageId, { FunctionName: 'second' }), 'ConflictException')
    const { MessageId } = held.ChannelMessage
    await server.call('POST', `/carillon/v1/messages/${MessageId}?operation=fail`, { body: {} })
    const { status, stderr } = await carillon('again', MessageId, '--data-dir', server.dataDir)
    const why = 'No flow holds such a message: it has failed, which is final; its sender can send it again'
    assert.deepEqual([status, stderr], [1, `carillon: ${why}\n`])
  })
})

suite('again --all-of', () => {
  test('hands what waits for a callback over, and counts what needs nothing and what was decided', async () => {
    const ended = [await sendEnded(), await sendEnded()]
    const all = await carillon('again', '--all-of', 'first', '--data-dir', server.dataDir)
    assert.deepEqual([all.stderr, all.stdout], ['', '2 messages held by first: 2 handed to its processor again\n'])
    for (const { CallbackId, ChannelMessage } of ended) {
      const event = await server.processors.next(ChannelMessage.MessageId)
      assert.equal(event.CallbackId, CallbackId)
      await people.deny(event)
    }
    const none = await carillon('again', '--all-of', 'first', '--data-dir', server.dataDir)
    assert.equal(none.stdout, '0 messages held by first: 0 handed to its processor again\n')
  })
})
