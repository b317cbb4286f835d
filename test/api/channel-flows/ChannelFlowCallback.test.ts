import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import type { ChannelMessageCallback, SendChannelMessageCommandInput } from '@aws-sdk/client-chime-sdk-messaging'
import type { ProcessorEvent } from '../../../src/processor/processor-event.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { type Population, populate } from '../../support/population.ts'
import { assertRefused, noAccess, outcomeOf, violation } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const people = await withFlow('first')
/** Whose messages meet three processors. */
const chained = await withFlow('first', 'second', 'third')

async function withFlow(...names: string[]): Promise<Population> {
  const population = await populate(server)
  await population.attachFlow(names)
  return population
}

const original = {
  Content: 'hello',
  Metadata: 'm',
  ContentType: 'text/plain',
  MessageAttributes: { a: { StringValues: ['1'] }, b: { StringValues: ['2'] } },
} satisfies Partial<SendChannelMessageCommandInput>

suite('ChannelFlowCallback lets a message pass', () => {
  const changes: Record<string, [change: Partial<ChannelMessageCallback>, expected: object]> = {
    'as it is': [{}, original],
    'with the text it has, said again': [original, original],
    'with other Content': [{ Content: 'h***o 🔔\0' }, { ...original, Content: 'h***o 🔔\0' }],
    'with other Metadata': [{ Metadata: 'n' }, { ...original, Metadata: 'n' }],
    'without Metadata, if it is empty': [{ Metadata: '' }, { ...original, Metadata: undefined }],
    'with another ContentType': [{ ContentType: 'text/html' }, { ...original, ContentType: 'text/html' }],
    'without ContentType, if it is empty': [{ ContentType: '' }, { ...original, ContentType: undefined }],
    'with other MessageAttributes, all of them replaced': [
      { MessageAttributes: { c: { StringValues: ['3'] } } },
      { ...original, MessageAttributes: { c: { StringValues: ['3'] } } },
    ],
    'without MessageAttributes, if there are none': [{ MessageAttributes: {} }, { ...original, MessageAttributes: {} }],
    'with 4096 bytes of Content': [{ Content: '🔔'.repeat(1024) }, { ...original, Content: '🔔'.repeat(1024) }],
  }
  for (const [how, [change, expected]] of Object.entries(changes)) {
    test(how, async () => {
      const event = await people.sendHeld(original)
      const { ChannelArn, CallbackId } = await people.allow(event, change)
      assert.deepEqual({ ChannelArn, CallbackId }, { ChannelArn: people.channelArn, CallbackId: event.CallbackId })
      const { Content, Metadata, ContentType, MessageAttributes, Status } = await people.read(
        event.ChannelMessage.MessageId,
        people.owner,
      )
      assert.deepEqual({ Content, Metadata, ContentType, MessageAttributes }, expected)
      assert.deepEqual(Status, { Value: 'SENT' })
    })
  }

  test('that leaves no row, with its changes, to those who are connected', async () => {
    const session = await server.session(people.owner)
    await people.allow(await people.sendHeld({ Persistence: 'NON_PERSISTENT' }), { Content: 'changed' })
    const { eventType, payload } = await session.next()
    const { Content, Persistence } = payload as Record<string, string>
    assert.deepEqual([eventType, Content, Persistence], ['CREATE_CHANNEL_MESSAGE', 'changed', 'NON_PERSISTENT'])
  })

  test('only to its target and its sender', async () => {
    const event = await people.sendHeld({ Target: [{ MemberArn: people.hidden }] })
    await people.allow(event)
    const { MessageId } = event.ChannelMessage
    await people.read(MessageId, people.hidden)
    await people.read(MessageId, people.member)
    await assertRefused(people.read(MessageId, people.owner), 'NotFound')
  })
})

suite('ChannelFlowCallback with DeleteResource', () => {
  test('keeps the message from everybody', async () => {
    const event = await people.sendHeld()
    const { CallbackId } = await people.deny(event)
    assert.equal(CallbackId, event.CallbackId)
    for (const reader of [people.member, people.owner, people.admin]) {
      await assertRefused(people.read(event.ChannelMessage.MessageId, reader), 'NotFound')
    }
  })

  test('denies, with any text', async () => {
    const session = await server.session(people.member)
    const { CallbackId, ChannelMessage } = await people.sendHeld({ Metadata: 'mine' })
    const { ChannelArn, MessageId } = ChannelMessage
    await server.messaging.channelFlowCallback({
      ChannelArn,
      CallbackId,
      DeleteResource: true,
      ChannelMessage: { MessageId, Content: 'other', Metadata: 'other' },
    })
    await session.next()
    const { eventType, payload } = await session.next()
    const { Content, Metadata } = payload as Record<string, string>
    assert.deepEqual([eventType, Content, Metadata], ['DENIED_CREATE_CHANNEL_MESSAGE', 'hello', 'mine'])
  })

  test('ends the flow, from any processor', async () => {
    const event = await chained.sendHeld()
    await chained.allow(event)
    const second = await server.processors.next(event.ChannelMessage.MessageId)
    await chained.deny(second)
    await assertRefused(chained.read(event.ChannelMessage.MessageId), 'NotFound')
    for (const step of [event, second]) await assertRefused(chained.allow(step), 'Forbidden', noAccess)
  })
})

suite('three processors', () => {
  test('see what those before them have changed, each with a CallbackId of its own', async () => {
    const PushNotification = { Title: 'Bells', Body: 'ding', Type: 'DEFAULT' } as const
    const first = await chained.sendHeld(original)
    const { MessageId } = first.ChannelMessage
    await chained.allow(first, { Content: 'by first', PushNotification })
    const second = await server.processors.next(MessageId)
    assert.deepEqual(second.ChannelMessage, { ...first.ChannelMessage, Content: 'by first', PushNotification })
    await chained.allow(second, { Metadata: '', MessageAttributes: {} })
    const third = await server.processors.next(MessageId)
    const { Metadata: _, ...rest } = second.ChannelMessage
    assert.deepEqual(third.ChannelMessage, { ...rest, MessageAttributes: {} })
    await chained.allow(third, { Content: 'by third' })
    const { Content, Metadata } = await chained.read(MessageId, chained.owner)
    assert.deepEqual({ Content, Metadata }, { Content: 'by third', Metadata: undefined })
    assert.equal(new Set([first, second, third].map(({ CallbackId }) => CallbackId)).size, 3)
  })

  test('hold the message until the last one allows it', async () => {
    const session = await server.session(chained.member)
    const first = await chained.sendHeld()
    const { MessageId } = first.ChannelMessage
    await chained.allow(first, { Content: 'changed' })
    const second = await server.processors.next(MessageId)
    assert.equal((await chained.read(MessageId)).Content, 'hello')
    await assertRefused(chained.read(MessageId, chained.owner), 'NotFound')
    await chained.allow(second)
    assert.equal(await chained.status(MessageId), 'PENDING')
    await chained.allow(await server.processors.next(MessageId))
    assert.equal((await chained.read(MessageId, chained.owner)).Content, 'changed')
    assert.deepEqual(await session.eventTypes(2), ['PENDING_CREATE_CHANNEL_MESSAGE', 'CREATE_CHANNEL_MESSAGE'])
  })

  test('are invoked one after the other: the CallbackId of an ended step is rejected like the one of a sent message', async () => {
    const first = await chained.sendHeld()
    await chained.allow(first)
    const second = await server.processors.next(first.ChannelMessage.MessageId)
    await assertRefused(chained.allow(first), 'BadRequest', notPending(first))
    await chained.allow(second)
    await assertRefused(chained.deny(second), 'BadRequest', notPending(second))
    await chained.allow(await server.processors.next(first.ChannelMessage.MessageId))
  })
})

const notPending = ({ CallbackId }: { CallbackId: string }) =>
  `Unable to complete processing of non-pending message for callback id ${CallbackId}`

suite('a second ChannelFlowCallback', () => {
  for (const Persistence of ['PERSISTENT', 'NON_PERSISTENT'] as const) {
    test(`is a bad request after a ${Persistence} message was sent`, async () => {
      const event = await people.sendHeld({ Persistence })
      await people.allow(event)
      await assertRefused(people.allow(event), 'BadRequest', notPending(event))
      await assertRefused(people.deny(event), 'BadRequest', notPending(event))
    })

    test(`is forbidden after a ${Persistence} message was denied`, async () => {
      const event = await people.sendHeld({ Persistence })
      await people.deny(event)
      await assertRefused(people.allow(event), 'Forbidden', noAccess)
      await assertRefused(people.deny(event), 'Forbidden', noAccess)
    })
  }

  test('is rejected if both arrive at once: one is accepted, with one event', async () => {
    const session = await server.session(people.owner)
    const event = await people.sendHeld()
    const verdicts = Array.from({ length: 10 }, (_, index) => people.allow(event, { Content: `${index}` }))
    const outcomes = await Promise.all(verdicts.map(outcomeOf))
    assert.equal(outcomes.filter((outcome) => outcome === 'accepted').length, 1)
    assert.ok(outcomes.every((outcome) => ['accepted', 'Conflict', 'BadRequest'].includes(outcome)))
    await people.send({ Type: 'CONTROL', Content: 'next' })
    const told = [await session.next(), await session.next()].map(({ payload }) => payload as { Content: string })
    assert.deepEqual(
      told.map(({ Content }) => Content),
      [`${outcomes.indexOf('accepted')}`, 'next'],
    )
  })

  test('is rejected if one allows and one denies at once, and the accepted one decides', async () => {
    const event = await people.sendHeld()
    const verdicts = [outcomeOf(people.allow(event)), outcomeOf(people.deny(event))] as const
    const [allow, deny] = await Promise.all(verdicts)
    const read = await outcomeOf(people.read(event.ChannelMessage.MessageId, people.owner))
    if (allow === 'accepted') {
      assert.ok(['Conflict', 'BadRequest'].includes(deny), deny)
      assert.equal(read, 'accepted')
    } else {
      assert.equal(deny, 'accepted')
      assert.ok(['Conflict', 'Forbidden'].includes(allow), allow)
      assert.equal(read, 'NotFound')
    }
  })
})

suite('a verdict under an amz-sdk-invocation-id that was used before is another one where its body is another', () => {
  type Body = { DeleteResource?: boolean; ChannelMessage: { MessageId: string; Content?: string } }
  const callBack = (event: ProcessorEvent, invocationId: string, body: Body) => {
    const { ChannelArn } = event.ChannelMessage
    const path = `/channels/${encodeURIComponent(ChannelArn)}?operation=channel-flow-callback`
    const headers = { 'amz-sdk-invocation-id': invocationId }
    return server.call('POST', path, { body: { CallbackId: event.CallbackId, ...body }, headers })
  }
  const otherBodies = ({ ChannelMessage: { MessageId } }: ProcessorEvent): Record<string, Body> => ({
    'a denial': { DeleteResource: true, ChannelMessage: { MessageId } },
    'another text': { ChannelMessage: { MessageId, Content: 'other' } },
  })

  for (const what of ['a denial', 'another text']) {
    test(`${what} after an allow is a bad request, and changes nothing`, async () => {
      const event = await people.sendHeld()
      const { MessageId } = event.ChannelMessage
      const id = randomUUID()
      const allow = { ChannelMessage: { MessageId } }
      assert.equal((await callBack(event, id, allow)).status, 200)
      const other = await callBack(event, id, otherBodies(event)[what] as Body)
      assert.deepEqual([other.status, other.body.Message], [400, notPending(event)])
      assert.equal((await callBack(event, id, allow)).status, 200, 'the same body is the same verdict')
      const { Content, Status } = await people.read(MessageId, people.owner)
      assert.deepEqual([Content, Status], ['hello', { Value: 'SENT' }])
    })

    test(`${what} at the same time as an allow: one is accepted, and the other rejected`, async () => {
      const event = await people.sendHeld()
      const { MessageId } = event.ChannelMessage
      const id = randomUUID()
      const bodies: Body[] = [{ ChannelMessage: { MessageId } }, otherBodies(event)[what] as Body]
      const answers = await Promise.all(bodies.map((body) => callBack(event, id, body)))
      const statuses = answers.map(({ status }) => status)
      assert.equal(statuses.filter((status) => status === 200).length, 1, `${statuses}`)
    })
  }

  test('an allow after a denial is forbidden', async () => {
    const event = await people.sendHeld()
    const { MessageId } = event.ChannelMessage
    const id = randomUUID()
    assert.equal((await callBack(event, id, { DeleteResource: true, ChannelMessage: { MessageId } })).status, 200)
    assert.equal((await callBack(event, id, { ChannelMessage: { MessageId } })).status, 403)
    await assertRefused(people.read(MessageId, people.owner), 'NotFound')
  })
})

suite('ChannelFlowCallback is forbidden', () => {
  test('with an unknown CallbackId', async () => {
    const event = await people.sendHeld()
    for (const CallbackId of [randomUUID(), 'c'.repeat(32), 'c'.repeat(64)]) {
      await assertRefused(people.allow({ ...event, CallbackId }), 'Forbidden', noAccess)
    }
    await people.allow(event)
  })

  test("with another message's MessageId, or in another channel", async () => {
    const [one, other] = [await people.sendHeld(), await people.sendHeld()]
    const { MessageId } = other.ChannelMessage
    const elsewhere = { ...one.ChannelMessage, ChannelArn: await people.createChannel() }
    await assertRefused(people.allow(one, { MessageId }), 'Forbidden', noAccess)
    await assertRefused(people.allow(one, { MessageId: 'unknown' }), 'Forbidden', noAccess)
    await assertRefused(people.allow({ ...one, ChannelMessage: elsewhere }), 'Forbidden', noAccess)
    assert.equal(await people.status(one.ChannelMessage.MessageId), 'PENDING')
    await people.allow(one)
    await people.allow(other)
  })

  test('after the deadline, and the message has FAILED', async () => {
    const late = await populate(server)
    await late.attachFlow(['first'], { Tags: [{ Key: 'carillon:deadline', Value: '1s' }] })
    const session = await server.session(late.member)
    const event = await late.sendHeld()
    clock.advance(1_000)
    await assertRefused(late.allow(event), 'Forbidden', noAccess)
    assert.deepEqual(await session.eventTypes(2), ['PENDING_CREATE_CHANNEL_MESSAGE', 'FAILED_CREATE_CHANNEL_MESSAGE'])
    await assertRefused(late.allow(event), 'Forbidden', noAccess)
    const { Status } = await late.read(event.ChannelMessage.MessageId)
    assert.deepEqual(Status, { Value: 'FAILED', Detail: 'Processor did not answer in time: first' })
  })

  test('but not a millisecond before the deadline', async () => {
    const late = await populate(server)
    await late.attachFlow(['first'], { Tags: [{ Key: 'carillon:deadline', Value: '1s' }] })
    const event = await late.sendHeld()
    clock.advance(999)
    await late.allow(event)
    assert.deepEqual(await late.history(late.owner), ['hello'])
  })
})

suite('ChannelFlowCallback is a bad request', async () => {
  const event = await people.sendHeld()
  const { CallbackId, ChannelMessage } = event
  const { MessageId, ChannelArn } = ChannelMessage

  const rejected: Record<string, [change: Partial<ChannelMessageCallback>, text: string | RegExp]> = {
    'with empty Content': [
      { Content: '' },
      violation('channelMessage.content', 'have length greater than or equal to 1'),
    ],
    'with 4097 bytes of Content': [{ Content: 'x'.repeat(4097) }, /^Channel Messages size limit exceeded/],
    'with 1025 characters of Metadata': [
      { Metadata: 'm'.repeat(1025) },
      violation('channelMessage.metadata', 'have length less than or equal to 1024'),
    ],
    'with 1025 bytes of MessageAttributes': [
      { MessageAttributes: { a: { StringValues: ['v'.repeat(512), 'v'.repeat(512)] } } },
      'MessageAttributes have at most 1024 bytes in all',
    ],
    'with a ContentType of 46 characters': [{ ContentType: 'c'.repeat(46) }, /'channelMessage\.contentType'/],
    'with a push Title of 51 characters': [{ PushNotification: { Title: 't'.repeat(51) } }, /pushNotification\.title/],
    'with a SubChannelId': [{ SubChannelId: 's' }, /SubChannelId/],
    'with a malformed MessageId': [{ MessageId: 'm.' }, /'channelMessage\.messageId' .* pattern/],
  }
  for (const [what, [change, text]] of Object.entries(rejected)) {
    test(what, () => assertRefused(people.allow(event, change), 'BadRequest', text))
  }

  test('with a CallbackId of 31 or 65 characters', async () => {
    const short = people.allow({ ...event, CallbackId: 'c'.repeat(31) })
    await assertRefused(short, 'BadRequest', violation('callbackId', 'have length greater than or equal to 32'))
    const long = people.allow({ ...event, CallbackId: 'c'.repeat(65) })
    await assertRefused(long, 'BadRequest', violation('callbackId', 'have length less than or equal to 64'))
  })

  test('without a CallbackId or a ChannelMessage, or with a DeleteResource that is not true or false', async () => {
    const path = `/channels/${encodeURIComponent(ChannelArn)}?operation=channel-flow-callback`
    const complain = async (body: object) => {
      const answer = await server.call('POST', path, { body })
      assert.equal(answer.status, 400)
      return answer.body.Message
    }
    assert.match(await complain({ ChannelMessage: { MessageId } }), /'callbackId' .* must not be null/)
    assert.match(await complain({ CallbackId }), /'channelMessage' .* must not be null/)
    assert.match(await complain({ CallbackId, ChannelMessage: {} }), /'channelMessage\.messageId' .* must not be null/)
    const denial = { CallbackId, ChannelMessage: { MessageId }, DeleteResource: 'true' }
    assert.match(await complain(denial), /'deleteResource' .* type boolean/)
  })

  test('and after all that the message still waits for its verdict', async () => {
    assert.equal(await people.status(MessageId), 'PENDING')
    await people.allow(event)
  })
})

suite('a restart of the server', () => {
  test('between send and callback changes nothing', async () => {
    const one = await people.sendHeld({ Content: 'one' })
    const two = await chained.sendHeld({ Content: 'two' })
    await chained.allow(two, { Content: 'changed' })
    const second = await server.processors.next(two.ChannelMessage.MessageId)
    await server.restart()
    await people.allow(one)
    await chained.allow(second)
    const third = await server.processors.nextAfter(second)
    assert.equal(third.ChannelMessage.Content, 'changed')
    await chained.allow(third)
    assert.equal((await people.read(one.ChannelMessage.MessageId, people.owner)).Content, 'one')
    assert.equal((await chained.read(two.ChannelMessage.MessageId, chained.owner)).Content, 'changed')
    await assertRefused(people.allow(one), 'BadRequest', notPending(one))
  })

  test('does not extend the deadline', async () => {
    const late = await populate(server)
    await late.attachFlow(['first'], { Tags: [{ Key: 'carillon:deadline', Value: '2s' }] })
    const event = await late.sendHeld()
    clock.advance(1_000)
    await server.restart()
    const session = await server.session(late.member)
    clock.advance(1_000)
    assert.deepEqual(await session.eventTypes(1), ['FAILED_CREATE_CHANNEL_MESSAGE'])
    await assertRefused(late.allow(event), 'Forbidden', noAccess)
  })
})
