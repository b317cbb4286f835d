import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import type { ChannelMessageCallback } from '@aws-sdk/client-chime-sdk-messaging'
import type { ProcessorEvent } from '../../../src/processor/processor-event.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate } from '../../support/population.ts'
import { startTestServer } from '../../support/running-server.ts'

interface Warning {
  text: string
  requestId?: string
  channelArn?: string
  messageId?: string
  processor?: string
  waitsUntil?: string
  problem?: string
  bytes?: object
}

const warnings: Warning[] = []
const warn = (fields: object, text: string) => void warnings.push({ ...fields, text })
const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock, log: { warn }, flags: ['--admin-port', '0'] })
const people = await populate(server)
await people.attachFlow(['first'])

const rejected = 'ChannelFlowCallback rejected; the message waits for another'

/** What the log warned of since the last time. */
const takeWarnings = () => warnings.splice(0).filter(({ text }) => text === rejected)

async function invalidCallbacks(): Promise<number> {
  const text = await (await fetch(`${server.endpoint.admin}/metrics`)).text()
  const line = text.split('\n').find((one) => one.startsWith('carillon_callbacks_total{result="invalid"}'))
  return Number(line?.split(' ')[1] ?? 0)
}

/** Sends a callback in HTTP's own words. */
const callBack = (event: ProcessorEvent, body: object) => {
  const path = `/channels/${encodeURIComponent(event.ChannelMessage.ChannelArn)}?operation=channel-flow-callback`
  return server.call('POST', path, { body })
}

/** None of these may be in the log. */
const secret = 'the words of a member'

suite('a callback that is rejected while its message waits is a warning, and counts as invalid', () => {
  const cases: Record<string, [change: Partial<ChannelMessageCallback>, problem: RegExp, bytes: object]> = {
    'with a text that is too long': [{ Content: '€'.repeat(1_366) }, /at most 4096 bytes/, { Content: 4_098 }],
    'with attributes that are too large': [
      { MessageAttributes: { [secret]: { StringValues: ['v'.repeat(512), 'v'.repeat(512)] } } },
      /^MessageAttributes have at most 1024 bytes/,
      { MessageAttributes: 1_074 },
    ],
    'with Metadata that the shape rejects': [
      { Metadata: secret.repeat(60) },
      /^channelMessage\.metadata: Member must have length less than or equal to 1024$/,
      { Metadata: 1_260 },
    ],
    'with an attribute that the shape rejects': [
      { MessageAttributes: { [secret]: { StringValues: [secret.repeat(60)] } } },
      /^channelMessage\.messageAttributes: Member must have length less than or equal to 512$/,
      { MessageAttributes: 1_307 },
    ],
    'with an empty text': [
      { Content: '' },
      /^channelMessage\.content: Member must have length greater/,
      { Content: 0 },
    ],
    'with a SubChannelId': [{ SubChannelId: 's' }, /SubChannelId/, {}],
  }
  for (const [what, [change, problem, bytes]] of Object.entries(cases)) {
    test(what, async () => {
      const event = await people.sendHeld()
      const before = await invalidCallbacks()
      takeWarnings()
      await assert.rejects(people.allow(event, change), { name: 'BadRequestException' })
      const [warning, ...others] = takeWarnings()
      assert.deepEqual(others, [])
      const { MessageId, ChannelArn } = event.ChannelMessage
      assert.deepEqual(
        [warning?.processor, warning?.channelArn, warning?.messageId, warning?.bytes],
        ['first', ChannelArn, MessageId, bytes],
      )
      assert.match(warning?.problem ?? '', problem)
      assert.match(warning?.requestId ?? '', /^[\da-f-]{36}$/)
      assert.ok(Date.parse(warning?.waitsUntil ?? '') > clock.now())
      const said = JSON.stringify(warning)
      assert.ok(!said.includes(secret) && !said.includes(event.CallbackId), said)
      assert.equal(await invalidCallbacks(), before + 1)
      assert.equal(await people.status(MessageId), 'PENDING')
      await people.allow(event)
    })
  }

  test("with another message's id, which is forbidden", async () => {
    const event = await people.sendHeld()
    takeWarnings()
    await assert.rejects(people.allow(event, { MessageId: 'unknown' }), { name: 'ForbiddenException' })
    const [warning] = takeWarnings()
    assert.deepEqual([warning?.processor, warning?.messageId], ['first', event.ChannelMessage.MessageId])
    await people.allow(event)
  })

  test('with members of the wrong kind', async () => {
    const event = await people.sendHeld()
    for (const ChannelMessage of [null, secret, [secret], { MessageId: 1, Content: { secret } }]) {
      takeWarnings()
      const { status } = await callBack(event, { CallbackId: event.CallbackId, ChannelMessage })
      const [warning] = takeWarnings()
      assert.deepEqual([status, warning?.processor], [400, 'first'])
      assert.ok(!JSON.stringify(warning).includes(secret))
    }
    await people.allow(event)
  })
})

test('a callback without a CallbackId, or with one that does not exist, is no warning', async () => {
  const event = await people.sendHeld()
  const invalid = { ChannelMessage: { MessageId: event.ChannelMessage.MessageId, Content: '' } }
  takeWarnings()
  const before = await invalidCallbacks()
  for (const body of [invalid, { ...invalid, CallbackId: randomUUID() }]) {
    assert.equal((await callBack(event, body)).status, 400)
  }
  const elsewhere = {
    ...event,
    ChannelMessage: { ...event.ChannelMessage, ChannelArn: `${people.channelArn}${secret}` },
  }
  assert.equal((await callBack(elsewhere, { ...invalid, CallbackId: event.CallbackId })).status, 400)
  assert.deepEqual(takeWarnings(), [])
  assert.equal(await invalidCallbacks(), before + 3)
  await people.allow(event)
})

test('a callback that is rejected after the message went on is no warning', async () => {
  const event = await people.sendHeld()
  await people.allow(event)
  takeWarnings()
  await assert.rejects(people.allow(event, { Content: 'x'.repeat(4_097) }), { name: 'BadRequestException' })
  await assert.rejects(people.allow(event), { name: 'BadRequestException' })
  assert.deepEqual(takeWarnings(), [])
})
