import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { UpdateChannelMessageCommandInput } from '@aws-sdk/client-chime-sdk-messaging'
import type { ProcessorEvent } from '../../../src/processor/processor-event.ts'
import type { SessionClient } from '../../session/session-client.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { type Population, populate, processor } from '../../support/population.ts'
import { assertRefused, noAccess, outcomeOf, violation } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'
import { SteeredStore } from '../../support/steered-store.ts'

type Input = Partial<UpdateChannelMessageCommandInput>

const clock = new ManualClock(Date.now())
const store = new SteeredStore()
const server = await startTestServer({ clock, aroundStore: store.around })
const people = await populate(server)
const held = await populate(server)
await held.attachFlow(['first'])

const original = {
  Content: 'hello',
  Metadata: 'm',
  ContentType: 'text/plain',
  MessageAttributes: { a: { StringValues: ['1'] } },
}

/** A message that is sent, and has met a flow if there is one. */
async function sent(population: Population, input: object = original): Promise<string> {
  const { MessageId, Status } = await population.send(input)
  if (Status?.Value === 'PENDING') await population.allow(await server.processors.next(MessageId))
  return MessageId!
}

interface News {
  eventType: string
  Content: string
  Metadata?: string
  Status: object
  LastEditedTimestamp?: string
}

async function news(session: SessionClient): Promise<News> {
  const { eventType, payload } = await session.next()
  return { eventType, ...(payload as Omit<News, 'eventType'>) }
}

const statusOf = async ({ channelArn: ChannelArn, member: ChimeBearer }: Population, MessageId: string) =>
  (await server.messaging.getChannelMessageStatus({ ChannelArn, ChimeBearer, MessageId })).Status

suite('UpdateChannelMessage accepts', () => {
  const accepted: Record<string, [input: Input, expected?: object]> = {
    'Content alone, and keeps the rest': [{}],
    '4096 bytes of Content': [{ Content: '🔔'.repeat(1024) }],
    '1024 characters of Metadata': [{ Metadata: '🔔'.repeat(1024) }],
    'empty Metadata, which takes it away': [{ Metadata: '' }, { Metadata: undefined }],
    'a ContentType of 45 characters': [{ ContentType: '🔔'.repeat(45) }],
    'an empty ContentType, which takes it away': [{ ContentType: '' }, { ContentType: undefined }],
    'any text, and gives it back as it was': [{ Content: '\0\ud83d\n', Metadata: '\0\ud83d\n' }],
  }
  for (const [what, [input, expected]] of Object.entries(accepted)) {
    test(what, async () => {
      const id = await sent(people)
      const { ChannelArn, MessageId, Status } = await people.update(id, input)
      assert.deepEqual(
        { ChannelArn, MessageId, Status },
        { ChannelArn: people.channelArn, MessageId: id, Status: { Value: 'SENT' } },
      )
      const { Content, Metadata, ContentType, MessageAttributes } = await people.read(id, people.owner)
      const after = { ...original, Content: 'edited', ...input, ...expected }
      assert.deepEqual({ Content, Metadata, ContentType, MessageAttributes }, after)
    })
  }

  test('at most 30 bytes of Content in a CONTROL message', async () => {
    const id = await sent(people, { Type: 'CONTROL' })
    await people.update(id, { Content: 'ü'.repeat(15) })
    await assertRefused(
      people.update(id, { Content: 'x'.repeat(31) }),
      'BadRequest',
      /^Channel Messages size limit exceeded/,
    )
    await assertRefused(
      people.update(id, { Content: 'x', Metadata: 'm' }),
      'BadRequest',
      'A CONTROL message has no Metadata',
    )
  })
})

suite('UpdateChannelMessage rejects', async () => {
  const id = await sent(people)
  const rejected: Record<string, [input: Input, text: string | RegExp]> = {
    'no Content': [{ Content: '' }, violation('content', 'have length greater than or equal to 1')],
    '4097 bytes of Content': [{ Content: `${'🔔'.repeat(1024)}x` }, /^Channel Messages size limit exceeded/],
    '1025 characters of Metadata': [
      { Metadata: 'm'.repeat(1025) },
      violation('metadata', 'have length less than or equal to 1024'),
    ],
    'a ContentType of 46 characters': [{ ContentType: 'c'.repeat(46) }, /'contentType' .* less than or equal to 45$/],
    'a malformed MessageId': [{ MessageId: 'a.b' }, /'messageId' .* pattern/],
    'sub-channels, which it does not have': [{ SubChannelId: 's' }, /SubChannelId/],
  }
  for (const [what, [input, text]] of Object.entries(rejected)) {
    test(what, () => assertRefused(people.update(id, input), 'BadRequest', text))
  }

  test("somebody else's message, whoever asks", async () => {
    const { owner, moderator, admin, hidden, stranger } = people
    const targeted = await sent(people, { Target: [{ MemberArn: owner }] })
    for (const ChimeBearer of [owner, moderator, admin, hidden, stranger]) {
      for (const theirs of [id, targeted]) {
        await assertRefused(people.update(theirs, { ChimeBearer }), 'Forbidden', noAccess)
      }
    }
    assert.equal((await people.read(id)).Content, 'hello')
  })

  test('a message that is not there: unknown, in another channel, NON_PERSISTENT, denied', async () => {
    const { MessageId: transient } = await people.send({ Persistence: 'NON_PERSISTENT' })
    const denied = await held.sendHeld()
    await held.deny(denied)
    const elsewhere = await people.createChannel()
    await assertRefused(people.update('unknown'), 'Forbidden', noAccess)
    await assertRefused(people.update(transient), 'Forbidden', noAccess)
    await assertRefused(people.update(id, { ChannelArn: elsewhere }), 'Forbidden', noAccess)
    await assertRefused(held.update(denied.ChannelMessage.MessageId), 'Forbidden', noAccess)
  })

  test('a message that is not sent, with a Conflict only for its sender', async () => {
    const failing = await populate(server)
    await failing.attachFlow(['not-there'])
    const session = await server.session(failing.member)
    const { MessageId: failed } = await failing.send()
    await session.eventTypes(2)
    await assertRefused(failing.update(failed), 'Conflict', 'A message that is FAILED cannot be updated')
    for (const Persistence of ['PERSISTENT', 'NON_PERSISTENT'] as const) {
      const event = await held.sendHeld({ Persistence })
      const { MessageId } = event.ChannelMessage
      await assertRefused(held.update(MessageId), 'Conflict', 'A message that is PENDING cannot be updated')
      await assertRefused(held.update(MessageId, { ChimeBearer: held.admin }), 'Forbidden', noAccess)
      await held.allow(event)
    }
  })

  test('a redacted message', async () => {
    const redacted = await sent(people)
    await people.redact(redacted)
    await assertRefused(people.update(redacted), 'Conflict', 'A redacted message cannot be updated')
  })

  test('one of two updates that change the same text', async () => {
    const id = await sent(people)
    const writes = [store.stop('AcceptUpdate'), store.stop('AcceptUpdate')]
    const outcomes = ['one', 'two'].map((Content) => outcomeOf(people.update(id, { Content })))
    for (const { pass } of await Promise.all(writes)) pass()
    const accepted = (await Promise.all(outcomes)).indexOf('accepted')
    assert.deepEqual((await Promise.all(outcomes)).toSorted(), ['Conflict', 'accepted'])
    assert.equal((await people.read(id)).Content, ['one', 'two'][accepted])
  })

  test('an update of what was redacted or deleted before it came to be written', async () => {
    for (const end of ['redact', 'delete'] as const) {
      const id = await sent(people)
      const stopped = store.stop('AcceptUpdate')
      const updating = outcomeOf(people.update(id))
      const { pass } = await stopped
      await people[end](id)
      pass()
      assert.equal(await updating, 'Conflict')
    }
  })
})

suite('UpdateChannelMessage without a flow', () => {
  test('tells every member the whole message, and when it was edited', async () => {
    const sessions = [await server.session(people.member), await server.session(people.owner)]
    const id = await sent(people)
    const { CreatedTimestamp } = await people.read(id)
    clock.advance(250)
    await people.update(id, { Metadata: 'n' })
    const at = new Date(clock.now())
    for (const session of sessions) {
      await session.next()
      const { eventType, messageType, payload } = await session.next()
      assert.deepEqual([eventType, messageType], ['UPDATE_CHANNEL_MESSAGE', 'STANDARD'])
      assert.deepEqual(payload, {
        ChannelArn: people.channelArn,
        MessageId: id,
        ...original,
        Content: 'edited',
        Metadata: 'n',
        Type: 'STANDARD',
        Persistence: 'PERSISTENT',
        Sender: { Arn: people.member, Name: 'member' },
        Redacted: false,
        Status: { Value: 'SENT' },
        CreatedTimestamp: CreatedTimestamp!.toISOString(),
        LastEditedTimestamp: at.toISOString(),
        LastUpdatedTimestamp: at.toISOString(),
      })
    }
    const read = await people.read(id, people.owner)
    assert.deepEqual(
      [read.CreatedTimestamp, read.LastEditedTimestamp, read.LastUpdatedTimestamp],
      [CreatedTimestamp, at, at],
    )
  })

  test('leaves the newest text alone in the history, in the old place', async () => {
    const quiet = await populate(server)
    const id = await sent(quiet, { Content: 'one' })
    await sent(quiet, { Content: 'two' })
    for (const Content of ['edited', 'edited again']) await quiet.update(id, { Content })
    assert.deepEqual(await quiet.history(quiet.owner), ['edited again', 'two'])
  })

  test('does not make the message the last of its channel', async () => {
    const quiet = await populate(server)
    const id = await sent(quiet)
    const lastMessage = async () => {
      const { channelArn: ChannelArn, owner: ChimeBearer } = quiet
      return (await server.messaging.describeChannel({ ChannelArn, ChimeBearer })).Channel?.LastMessageTimestamp
    }
    const before = await lastMessage()
    clock.advance(1)
    await quiet.update(id)
    assert.deepEqual(await lastMessage(), before)
  })

  test('only notifies the target and the sender of a targeted message', async () => {
    const { member, hidden, owner } = people
    const sessions = [await server.session(member), await server.session(hidden), await server.session(owner)]
    const targeted = await sent(people, { Target: [{ MemberArn: hidden }] })
    await people.update(targeted)
    await people.send({ Type: 'CONTROL' })
    const told = await Promise.all(sessions.map((session, index) => session.eventTypes(index === 2 ? 1 : 3)))
    const all = ['CREATE_CHANNEL_MESSAGE', 'UPDATE_CHANNEL_MESSAGE', 'CREATE_CHANNEL_MESSAGE']
    assert.deepEqual(told, [all, all, ['CREATE_CHANNEL_MESSAGE']])
  })
})

suite('UpdateChannelMessage into a flow', () => {
  test('is for the sender alone to know of, and everybody reads the old text, until it is through', async () => {
    const [sender, other] = [await server.session(held.member), await server.session(held.owner)]
    const id = await sent(held)
    clock.advance(100)
    const requestedAt = new Date(clock.now())
    const { Status } = await held.update(id, { Content: 'edited', Metadata: 'n' })
    assert.deepEqual(Status, { Value: 'PENDING' })
    const event = await server.processors.next(id)
    const { Content, Metadata, LastEditedTimestamp } = event.ChannelMessage
    assert.deepEqual([Content, Metadata, LastEditedTimestamp], ['edited', 'n', requestedAt.toISOString()])
    assert.deepEqual(await statusOf(held, id), { Value: 'PENDING' })
    for (const [reader, value] of [
      [held.member, 'PENDING'],
      [held.owner, 'SENT'],
      [held.admin, 'SENT'],
    ] as const) {
      const newest = { ChannelArn: held.channelArn, ChimeBearer: reader, MaxResults: 1 }
      const { ChannelMessages: [listed] = [] } = await server.messaging.listChannelMessages(newest)
      for (const seen of [await held.read(id, reader), listed!]) {
        const { MessageId, Content, Status, LastEditedTimestamp } = seen
        assert.deepEqual([MessageId, Content, Status, LastEditedTimestamp], [id, 'hello', { Value: value }, undefined])
      }
    }

    clock.advance(100)
    await held.allow(event, { Content: 'changed' })
    const read = await held.read(id)
    assert.deepEqual([read.Content, read.Metadata, read.Status], ['changed', 'n', { Value: 'SENT' }])
    assert.deepEqual([read.LastEditedTimestamp, read.LastUpdatedTimestamp], [requestedAt, new Date(clock.now())])
    assert.deepEqual(await statusOf(held, id), { Value: 'SENT' })

    assert.deepEqual(await sender.eventTypes(2), ['PENDING_CREATE_CHANNEL_MESSAGE', 'CREATE_CHANNEL_MESSAGE'])
    await other.next()
    const pending = await news(sender)
    assert.deepEqual(
      [pending.eventType, pending.Content, pending.Status],
      ['PENDING_UPDATE_CHANNEL_MESSAGE', 'edited', { Value: 'PENDING' }],
    )
    assert.equal(pending.LastEditedTimestamp, requestedAt.toISOString())
    for (const session of [sender, other]) {
      const { eventType, Content, Status } = await news(session)
      assert.deepEqual([eventType, Content, Status], ['UPDATE_CHANNEL_MESSAGE', 'changed', { Value: 'SENT' }])
    }
  })

  test('that denies it leaves the message as it was, and says so to the sender in its own words', async () => {
    const [sender, other] = [await server.session(held.member), await server.session(held.owner)]
    const id = await sent(held)
    await held.deny(await held.updateHeld(id, { Metadata: 'n' }))
    assert.deepEqual(await statusOf(held, id), { Value: 'SENT' })
    const { Content, Metadata, LastEditedTimestamp, Status } = await held.read(id)
    assert.deepEqual([Content, Metadata, LastEditedTimestamp, Status], ['hello', 'm', undefined, { Value: 'SENT' }])
    await sender.eventTypes(3)
    const denied = await news(sender)
    assert.deepEqual(
      [denied.eventType, denied.Content, denied.Metadata, denied.Status],
      ['DENIED_UPDATE_CHANNEL_MESSAGE', 'edited', 'n', { Value: 'DENIED' }],
    )
    await held.allow(await held.updateHeld(id, { Content: 'better' }))
    assert.deepEqual(await other.eventTypes(2), ['CREATE_CHANNEL_MESSAGE', 'UPDATE_CHANNEL_MESSAGE'])
    assert.equal((await held.read(id, held.owner)).Content, 'better')
  })

  const failures: Record<string, [flow: (late: Population) => Promise<unknown>, detail: string]> = {
    'whose processor does not answer in time': [
      (late) => late.attachFlow(['first'], { Tags: [{ Key: 'carillon:deadline', Value: '1s' }] }),
      'Processor did not answer in time: first',
    ],
    'whose processor is not there': [
      (late) => late.attachFlow([], { Processors: [processor('not-there')] }),
      'Processor invocation failed: not-there',
    ],
  }
  for (const [what, [attach, Detail]] of Object.entries(failures)) {
    test(`${what} fails, which its sender reads until the next update`, async () => {
      const late = await populate(server)
      const id = await sent(late)
      await attach(late)
      const session = await server.session(late.member)
      await late.update(id)
      assert.equal((await news(session)).eventType, 'PENDING_UPDATE_CHANNEL_MESSAGE')
      clock.advance(1_000)
      const failed = await news(session)
      assert.deepEqual(
        [failed.eventType, failed.Content, failed.Status],
        ['FAILED_UPDATE_CHANNEL_MESSAGE', 'edited', { Value: 'FAILED', Detail }],
      )
      assert.deepEqual(await statusOf(late, id), { Value: 'FAILED', Detail })
      const { Content, Status } = await late.read(id)
      assert.deepEqual([Content, Status], ['hello', { Value: 'SENT' }])
      assert.equal((await late.update(id)).Status?.Value, 'PENDING')
      assert.deepEqual(await news(session).then(({ eventType }) => eventType), 'PENDING_UPDATE_CHANNEL_MESSAGE')
    })
  }

  test('rejects a second update as long as there is one', async () => {
    const id = await sent(held)
    const event = await held.updateHeld(id, { Content: 'one' })
    await assertRefused(
      held.update(id, { Content: 'two' }),
      'Conflict',
      'Another update of the message is in processing',
    )
    await held.allow(event)
    assert.equal((await held.read(id)).Content, 'one')
    await held.allow(await held.updateHeld(id, { Content: 'two' }))
    assert.equal((await held.read(id)).Content, 'two')
  })

  test('keeps to the flow that the channel had when the update came', async () => {
    const people = await populate(server)
    const id = await sent(people)
    const ChannelFlowArn = await people.attachFlow(['first'])
    const event = await people.updateHeld(id)
    const { channelArn: ChannelArn, owner: ChimeBearer } = people
    await server.messaging.disassociateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer })
    await server.messaging.deleteChannelFlow({ ChannelFlowArn })
    assert.equal((await people.read(id)).Content, 'hello')
    await people.allow(event)
    assert.equal((await people.read(id)).Content, 'edited')
    assert.equal((await people.update(id, { Content: 'at once' })).Status?.Value, 'SENT')
  })

  test('is not held for a CONTROL message', async () => {
    const { MessageId } = await held.send({ Type: 'CONTROL' })
    assert.equal((await held.update(MessageId)).Status?.Value, 'SENT')
    assert.equal((await held.read(MessageId, held.owner)).Content, 'edited')
  })

  test('survives a restart of the server', async () => {
    const id = await sent(held)
    const event = await held.updateHeld(id)
    await server.restart()
    assert.equal((await held.read(id)).Content, 'hello')
    await held.allow(event)
    assert.equal((await held.read(id)).Content, 'edited')
  })

  const endings: Record<string, (event: ProcessorEvent) => Promise<unknown>> = {
    'it is let through': (event) => held.allow(event, { Content: 'also secret' }),
    'it is denied': (event) => held.deny(event, { Content: 'also secret' }),
    'its message is redacted': ({ ChannelMessage }) => held.redact(ChannelMessage.MessageId),
    'its message is deleted': ({ ChannelMessage }) => held.delete(ChannelMessage.MessageId),
  }
  for (const [how, end] of Object.entries(endings)) {
    test(`leaves no text on disk but that of the message, once ${how}`, async () => {
      const id = await sent(held)
      await end(await held.updateHeld(id, { Content: 'secret' }))
      const runs = await store.read.all('SELECT requested_json, text_json FROM flow_run WHERE message_id = $1', id)
      assert.deepEqual(
        runs.map((run) => ({ ...(run as object) })),
        [1, 2].map(() => ({ requested_json: null, text_json: null })),
      )
    })
  }
})

suite('UpdateChannelMessage while the flow of the channel changes', () => {
  test('does not pass a flow that is associated before it is written', async () => {
    const changing = await populate(server)
    const id = await sent(changing)
    const stopped = store.stop('AcceptUpdate')
    const updating = assertRefused(changing.update(id, { Content: 'unseen' }), 'Conflict')
    const write = await stopped
    await changing.attachFlow(['first'])
    write.pass()
    await updating
    assert.equal((await changing.read(id, changing.owner)).Content, original.Content)
    assert.deepEqual((await changing.update(id, { Content: 'seen' })).Status, { Value: 'PENDING' })
  })
})
