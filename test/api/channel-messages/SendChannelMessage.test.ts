import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { SendChannelMessageCommandInput } from '@aws-sdk/client-chime-sdk-messaging'
import { populate, processor } from '../../support/population.ts'
import { assertRefused, invalidUser, noAccess, outcomeOf, violation } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'
import { SteeredStore } from '../../support/steered-store.ts'

type Input = Partial<SendChannelMessageCommandInput>

const store = new SteeredStore()
const server = await startTestServer({ aroundStore: store.around })
const people = await populate(server)

/** So many bytes of names and values. */
const attributes = (bytes: number) => ({
  ['n'.repeat(64)]: { StringValues: ['v'.repeat(512), 'v'.repeat(400)] },
  ü: { StringValues: ['v'.repeat(bytes - 64 - 512 - 400 - 2)] },
})

suite('SendChannelMessage accepts', () => {
  const accepted: Record<string, Input> = {
    '4096 bytes of Content': { Content: 'x'.repeat(4096) },
    '4096 bytes of Content in 1024 emoji': { Content: '🔔'.repeat(1024) },
    '30 bytes of Content in a CONTROL message': { Type: 'CONTROL', Content: 'ü'.repeat(15) },
    'a CONTROL message with empty Metadata': { Type: 'CONTROL', Metadata: '' },
    '1024 characters of Metadata, however many bytes': { Metadata: '🔔'.repeat(1024) },
    'a ContentType of 45 characters': { ContentType: '🔔'.repeat(45) },
    '1024 bytes of MessageAttributes, names and values together': { MessageAttributes: attributes(1024) },
    'an attribute without values': { MessageAttributes: { mention: {} } },
    'a PushNotification as long as it may be': {
      PushNotification: { Title: '🔔'.repeat(50), Body: '🔔'.repeat(150), Type: 'VOIP' },
    },
    'the sender itself as Target': { Target: [{ MemberArn: people.member }] },
    'a HIDDEN member as Target': { Target: [{ MemberArn: people.hidden }] },
  }
  for (const [what, input] of Object.entries(accepted)) {
    test(what, async () => {
      const { ChannelArn, MessageId, Status } = await people.send(input)
      assert.deepEqual([ChannelArn, Status], [people.channelArn, { Value: 'SENT' }])
      const { Content, Metadata, ContentType, MessageAttributes, Target } = people.message(input)
      const read = await people.read(MessageId)
      assert.deepEqual(
        [read.Content, read.Metadata, read.ContentType, read.MessageAttributes, read.Target],
        [Content, Metadata, ContentType, MessageAttributes, Target],
      )
    })
  }

  const texts = {
    NUL: 'a\0b',
    'halves of an emoji': '\ud83d and \udd14',
    'line breaks of every kind': '\n\r\n\u2028\u2029\u0085',
    'what looks like JSON': '{"Content":"\\u0000"}',
    'what looks encoded': '%F0%9F%94%94 + &amp;',
    'a byte order mark': '\ufeffa',
    'letters that could be composed otherwise': 'a\u0308 \u00e4 \u212b',
    blanks: ' \t ',
  }
  for (const [what, text] of Object.entries(texts)) {
    test(`${what} in any text, unchanged`, async () => {
      const sent = {
        Content: text,
        Metadata: text,
        ContentType: text,
        MessageAttributes: { [text]: { StringValues: [text] } },
      }
      const { MessageId } = await people.send(sent)
      const { Content, Metadata, ContentType, MessageAttributes } = await people.read(MessageId)
      assert.deepEqual({ Content, Metadata, ContentType, MessageAttributes }, sent)
    })
  }
})

suite('SendChannelMessage rejects', () => {
  const tooLong = 'Channel Messages size limit exceeded: a'
  const rejected: Record<string, [input: Input, text: string | RegExp]> = {
    'no Content': [{ Content: '' }, violation('content', 'have length greater than or equal to 1')],
    '4097 bytes of Content': [{ Content: 'x'.repeat(4097) }, `${tooLong} STANDARD message has at most 4096 bytes`],
    '4096 characters of Content that are more bytes': [{ Content: `${'x'.repeat(4095)}ü` }, /size limit exceeded/],
    '31 bytes of Content in a CONTROL message': [
      { Type: 'CONTROL', Content: `${'ü'.repeat(15)}x` },
      `${tooLong} CONTROL message has at most 30 bytes`,
    ],
    'Metadata in a CONTROL message': [{ Type: 'CONTROL', Metadata: 'm' }, 'A CONTROL message has no Metadata'],
    '1025 characters of Metadata': [
      { Metadata: 'm'.repeat(1025) },
      violation('metadata', 'have length less than or equal to 1024'),
    ],
    'a ContentType of 46 characters': [{ ContentType: 'c'.repeat(46) }, /'contentType' .* less than or equal to 45/],
    '1025 bytes of MessageAttributes': [
      { MessageAttributes: attributes(1025) },
      'MessageAttributes have at most 1024 bytes in all',
    ],
    'an attribute name of 65 characters': [
      { MessageAttributes: { ['n'.repeat(65)]: { StringValues: ['v'] } } },
      /'messageAttributes' .* Map keys must satisfy constraint: .* less than or equal to 64/,
    ],
    'an attribute value of 513 characters': [
      { MessageAttributes: { a: { StringValues: ['v', 'v'.repeat(513)] } } },
      /'messageAttributes\.a\.member\.stringValues\.2\.member' .* less than or equal to 512/,
    ],
    'an empty attribute value': [{ MessageAttributes: { a: { StringValues: [''] } } }, /greater than or equal to 1/],
    'a push Title of 51 characters': [{ PushNotification: { Title: 't'.repeat(51) } }, /'pushNotification\.title'/],
    'a push Body of 151 characters': [{ PushNotification: { Body: 'b'.repeat(151) } }, /'pushNotification\.body'/],
    'another Type': [{ Type: 'SYSTEM' as 'CONTROL' }, violation('type', 'satisfy enum value set: [STANDARD, CONTROL]')],
    'another Persistence': [{ Persistence: 'ETERNAL' as 'PERSISTENT' }, /'persistence'/],
    'no Target in a list of Targets': [{ Target: [] }, violation('target', 'have length greater than or equal to 1')],
    'two Targets': [
      { Target: [{ MemberArn: people.owner }, { MemberArn: people.hidden }] },
      violation('target', 'have length less than or equal to 1'),
    ],
    'sub-channels, which it does not have': [{ SubChannelId: 's' }, /SubChannelId/],
  }
  for (const [what, [input, text]] of Object.entries(rejected)) {
    test(what, () => assertRefused(people.send(input), 'BadRequest', text))
  }

  test('a Target that is no member', async () => {
    for (const MemberArn of [people.stranger, people.moderator, people.user('nobody'), people.channelArn]) {
      await assertRefused(people.send({ Target: [{ MemberArn }] }), 'Forbidden', invalidUser)
    }
  })

  test('moderators and admins that are no members, and HIDDEN members', async () => {
    for (const ChimeBearer of [people.moderator, people.admin, people.hidden]) {
      await assertRefused(people.send({ ChimeBearer }), 'Forbidden', noAccess)
      await assertRefused(people.send({ ChimeBearer, Persistence: 'NON_PERSISTENT' }), 'Forbidden', noAccess)
    }
  })

  test('a message without Content, Type or Persistence, naming all three', async () => {
    const path = `/channels/${encodeURIComponent(people.channelArn)}/messages`
    const { status, body } = await server.call('POST', path, { bearer: people.member, body: {} })
    assert.equal(status, 400)
    const missing = ['content', 'type', 'persistence'].map(
      (member) => `Value at '${member}' failed to satisfy constraint: Member must not be null`,
    )
    assert.equal(body.Message, `3 validation errors detected: ${missing.join('; ')}`)
  })
})

suite('SendChannelMessage without a flow', () => {
  test('notifies every member once, including the sender, and no other user', async () => {
    const { member, hidden, owner, stranger, moderator, admin } = people
    const elsewhere = await people.createChannel({ MemberArns: [stranger, moderator, admin] })
    const told = await Promise.all([member, hidden, owner].map((user) => server.session(user)))
    const untold = await Promise.all([stranger, moderator, admin].map((user) => server.session(user)))
    const { MessageId } = await people.send({ Content: 'ding 🔔', Metadata: 'm' })
    await people.send({ ChannelArn: elsewhere, ChimeBearer: owner })
    for (const session of told) {
      const { eventType, messageType, payload } = await session.next()
      assert.deepEqual([eventType, messageType], ['CREATE_CHANNEL_MESSAGE', 'STANDARD'])
      const { CreatedTimestamp, LastUpdatedTimestamp, ...message } = payload as Record<string, unknown>
      assert.match(String(CreatedTimestamp), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      assert.equal(LastUpdatedTimestamp, CreatedTimestamp)
      assert.deepEqual(message, {
        ChannelArn: people.channelArn,
        MessageId,
        Content: 'ding 🔔',
        Metadata: 'm',
        Type: 'STANDARD',
        Persistence: 'PERSISTENT',
        Sender: { Arn: member, Name: 'member' },
        Redacted: false,
        Status: { Value: 'SENT' },
      })
    }
    for (const session of untold) {
      const { payload } = await session.next()
      assert.equal((payload as { ChannelArn: string }).ChannelArn, elsewhere)
    }
  })

  test('publishes one event for ten concurrent calls with the same token', async () => {
    for (const Persistence of ['PERSISTENT', 'NON_PERSISTENT'] as const) {
      const session = await server.session(people.owner)
      const message = { Persistence, ClientRequestToken: `once-${Persistence}` }
      const [first] = await Promise.all(Array.from({ length: 10 }, () => people.send(message)))
      const last = await people.send({ Persistence })
      const told = [await session.next(), await session.next()].map(({ payload }) => payload as { MessageId: string })
      assert.deepEqual(
        told.map(({ MessageId }) => MessageId),
        [first?.MessageId, last.MessageId],
      )
    }
  })

  test('only notifies the target and the sender of a targeted message', async () => {
    const { member, hidden, owner } = people
    const sessions = await Promise.all([member, hidden, owner].map((user) => server.session(user)))
    const { MessageId: targeted } = await people.send({ Target: [{ MemberArn: hidden }] })
    const { MessageId: open } = await people.send()
    const firsts = await Promise.all(sessions.map(async (session) => (await session.next()).payload as typeof first))
    const first = { MessageId: targeted }
    assert.deepEqual(
      firsts.map(({ MessageId }) => MessageId),
      [targeted, targeted, open],
    )
  })

  test('leaves no trace of a NON_PERSISTENT message but its event', async () => {
    const session = await server.session(people.owner)
    const { MessageId, Status } = await people.send({ Persistence: 'NON_PERSISTENT', Type: 'CONTROL' })
    assert.equal(Status?.Value, 'SENT')
    const { eventType, messageType } = await session.next()
    assert.deepEqual([eventType, messageType], ['CREATE_CHANNEL_MESSAGE', 'CONTROL'])
    await assertRefused(people.read(MessageId), 'NotFound')
    await assertRefused(people.status(MessageId), 'Forbidden')
  })

  test('keeps the name that the sender had', async () => {
    const { MessageId } = await people.send()
    assert.deepEqual((await people.read(MessageId)).Sender, { Arn: people.member, Name: 'member' })
  })
})

suite('SendChannelMessage while the flow of the channel changes', () => {
  test('holds the message in a flow that is associated before it is written', async () => {
    const changing = await populate(server)
    const stopped = store.stop('AcceptMessage')
    const sending = changing.send()
    const write = await stopped
    await changing.attachFlow(['first'])
    write.pass()
    const { MessageId, Status } = await sending
    assert.deepEqual(Status, { Value: 'PENDING' })
    await changing.allow(await server.processors.next(MessageId), { Content: 'through' })
    assert.deepEqual(await changing.history(changing.owner), ['through'])
  })

  test('fails with a Conflict if the flow changes before every try', async () => {
    const changing = await populate(server)
    const ChannelFlowArn = await changing.createFlow(['first'])
    const association = { ChannelArn: changing.channelArn, ChannelFlowArn, ChimeBearer: changing.owner }
    let stopped = store.stop('AcceptMessage')
    const outcome = outcomeOf(changing.send())
    for (let round = 1; round <= 5; round += 1) {
      const write = await stopped
      if (round % 2 === 1) await server.messaging.associateChannelFlow(association)
      else await server.messaging.disassociateChannelFlow(association)
      if (round < 5) stopped = store.stop('AcceptMessage')
      write.pass()
    }
    assert.equal(await outcome, 'Conflict')
    assert.deepEqual(await changing.history(changing.owner), [])
  })
})

suite('SendChannelMessage into a flow', async () => {
  const held = await populate(server)
  await held.attachFlow(['first'])
  await server.messaging.createChannelMembership({
    ChannelArn: held.channelArn,
    ChimeBearer: held.owner,
    MemberArn: held.admin,
    Type: 'DEFAULT',
  })

  const statuses: [what: string, input: Input, status: 'PENDING' | 'SENT'][] = [
    ['a STANDARD message', {}, 'PENDING'],
    ['a NON_PERSISTENT STANDARD message', { Persistence: 'NON_PERSISTENT' }, 'PENDING'],
    ['a targeted message', { Target: [{ MemberArn: held.owner }] }, 'PENDING'],
    ["a moderator's message", { ChimeBearer: held.owner }, 'PENDING'],
    ["an admin's message", { ChimeBearer: held.admin }, 'PENDING'],
    ['a CONTROL message', { Type: 'CONTROL' }, 'SENT'],
    ['a NON_PERSISTENT CONTROL message', { Type: 'CONTROL', Persistence: 'NON_PERSISTENT' }, 'SENT'],
  ]
  for (const [what, input, status] of statuses) {
    test(`responds to ${what} with ${status}`, async () => {
      const { MessageId, Status } = await held.send(input)
      assert.deepEqual(Status, { Value: status })
      if (status === 'PENDING') await server.processors.next(MessageId)
    })
  }

  test('only notifies the sender until the message is released', async () => {
    const [sender, other] = [await server.session(held.member), await server.session(held.owner)]
    const event = await held.sendHeld()
    await held.allow(event, { Content: 'through' })
    const { eventType, payload } = await sender.next()
    assert.equal(eventType, 'PENDING_CREATE_CHANNEL_MESSAGE')
    const { Content, Status } = payload as Record<string, unknown>
    assert.deepEqual({ Content, Status }, { Content: 'hello', Status: { Value: 'PENDING' } })
    for (const session of [sender, other]) {
      const { eventType, payload } = await session.next()
      const { Content, Status } = payload as Record<string, unknown>
      assert.deepEqual([eventType, Content, Status], ['CREATE_CHANNEL_MESSAGE', 'through', { Value: 'SENT' }])
    }
  })

  test("tells the sender alone that it was denied, in the sender's own words", async () => {
    const [sender, other] = [await server.session(held.member), await server.session(held.owner)]
    const event = await held.sendHeld({ Metadata: 'mine' })
    await held.deny(event)
    await held.send({ Type: 'CONTROL', Content: 'next' })
    assert.deepEqual(await sender.eventTypes(1), ['PENDING_CREATE_CHANNEL_MESSAGE'])
    const { eventType, payload } = await sender.next()
    assert.equal(eventType, 'DENIED_CREATE_CHANNEL_MESSAGE')
    const { MessageId, Content, Metadata, Status } = payload as Record<string, unknown>
    assert.deepEqual(
      { MessageId, Content, Metadata, Status },
      { MessageId: event.ChannelMessage.MessageId, Content: 'hello', Metadata: 'mine', Status: { Value: 'DENIED' } },
    )
    assert.equal(((await other.next()).payload as { Content: string }).Content, 'next')
  })

  test('starts one run for ten concurrent calls with the same token', async () => {
    const session = await server.session(held.member)
    const ClientRequestToken = 'one-run'
    const sent = await Promise.all(Array.from({ length: 10 }, () => held.send({ ClientRequestToken })))
    const event = await server.processors.next(sent[0]?.MessageId)
    await held.allow(event)
    const next = await held.sendHeld()
    assert.deepEqual(await session.eventTypes(3), [
      'PENDING_CREATE_CHANNEL_MESSAGE',
      'CREATE_CHANNEL_MESSAGE',
      'PENDING_CREATE_CHANNEL_MESSAGE',
    ])
    await held.allow(next)
  })

  test('responds to a repeated call with the current status of the message', async () => {
    for (const Persistence of ['PERSISTENT', 'NON_PERSISTENT'] as const) {
      const verdicts = { SENT: 'allow', DENIED: 'deny' } as const
      for (const [status, verdict] of Object.entries(verdicts)) {
        const message = { Persistence, ClientRequestToken: `${Persistence}-${status}` }
        const event = await held.sendHeld(message)
        const again = async () => {
          const { MessageId, Status } = await held.send(message)
          assert.equal(MessageId, event.ChannelMessage.MessageId)
          return Status?.Value
        }
        assert.equal(await again(), 'PENDING')
        await held[verdict](event)
        assert.equal(await again(), status)
      }
    }
  })

  test('gives the processor all that a message has', async () => {
    const message = {
      Content: 'ding 🔔\0',
      Metadata: 'm',
      ContentType: 'text/plain',
      MessageAttributes: { mention: { StringValues: ['Bob'] } },
      PushNotification: { Title: 'Bells', Body: 'ding', Type: 'VOIP' },
      Target: [{ MemberArn: held.owner }],
    } satisfies Input
    const { CallbackId, ChannelMessage, EventType } = await held.sendHeld(message)
    assert.equal(EventType, 'CHANNEL_MESSAGE_EVENT')
    assert.match(CallbackId, /^.{32,64}$/)
    const { CreatedTimestamp, MessageId, ...rest } = ChannelMessage
    assert.equal(new Date(CreatedTimestamp).toISOString(), CreatedTimestamp)
    assert.ok(MessageId)
    assert.deepEqual(rest, {
      ChannelArn: held.channelArn,
      ...message,
      Sender: { Arn: held.member, Name: 'member' },
      Persistence: 'PERSISTENT',
      Type: 'STANDARD',
    })
  })

  test('gives the processor no member that a message has not', async () => {
    const { ChannelMessage } = await held.sendHeld()
    assert.deepEqual(Object.keys(ChannelMessage).sort(), [
      'ChannelArn',
      'Content',
      'CreatedTimestamp',
      'MessageId',
      'Persistence',
      'Sender',
      'Type',
    ])
  })

  test('whose function does not exist fails or releases the message, by its FallbackAction', async () => {
    const fallbacks = { ABORT: 'FAILED_CREATE_CHANNEL_MESSAGE', CONTINUE: 'CREATE_CHANNEL_MESSAGE' } as const
    for (const [FallbackAction, eventType] of Object.entries(fallbacks)) {
      const broken = await populate(server)
      const Processors = [{ ...processor('not-there'), FallbackAction: FallbackAction as 'ABORT' }]
      await broken.attachFlow([], { Processors })
      const session = await server.session(broken.member)
      assert.equal((await broken.send()).Status?.Value, 'PENDING')
      assert.deepEqual(await session.eventTypes(2), ['PENDING_CREATE_CHANNEL_MESSAGE', eventType])
    }
  })
})
