import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { type ChannelMessageCallback, ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import type { ProcessorEvent } from '../../src/processor/processor-event.ts'
import { openForgetfulProxy } from '../support/forgetful-proxy.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { assertRefused } from '../support/refusals.ts'
import { startTestServer } from '../support/running-server.ts'
import { SteeredStore } from '../support/steered-store.ts'
import { bodyOf, callBack, notPending, populateFlow, violationsOf } from './callback.ts'
import { kinds, Trial } from './trial.ts'

/*
 * ChannelFlowCallback as AWS's API reference has it, with the pages of its data types: every suite says in our words what
 * is said there, and its cases hold the server to it. The errors are in ChannelFlowCallback-errors.test.ts.
 */

const store = new SteeredStore()
const server = await startTestServer({ clock: new ManualClock(Date.now()), aroundStore: store.around })
const people = await populateFlow(server, 'first')
const chained = await populateFlow(server, 'first', 'second', 'third')

suite('A processor calls back with what is to become of its message', () => {
  test('from its function, which may still be at work', async () => {
    const release = server.processors.hold()
    const event = await people.sendHeld()
    await people.allow(event)
    assert.equal(await people.status(event.ChannelMessage.MessageId), 'SENT')
    release()
  })

  test('or from anywhere with an access key, on behalf of nobody: a bearer is not looked at', async () => {
    const { status } = await callBack(people, bodyOf(await people.sendHeld()), { bearer: 'nobody' })
    assert.equal(status, 200)
  })
})

suite('The message is updated, denied, or left as it is', async () => {
  const updates: Record<string, Partial<ChannelMessageCallback>> = {
    'other Content': { Content: 'changed' },
    'other Metadata': { Metadata: 'changed' },
    'other Content and Metadata': { Content: 'changed', Metadata: 'changed' },
    'nothing else': {},
    'empty Metadata, which takes it away': { Metadata: '' },
    'other MessageAttributes, which replace all of them': { MessageAttributes: { c: { StringValues: ['3'] } } },
    'a PushNotification': { PushNotification: { Title: 'Bells', Body: 'ding', Type: 'VOIP' } },
    'another ContentType': { ContentType: 'text/html' },
  }
  const denials = { 'a denial': {}, 'a denial with new Content, which is dropped': { Content: 'changed' } }
  const verdicts = Object.entries({ ...updates, ...denials })
  const positions = [1, 2, 3]
  const trial = await Trial.open(server, positions.length * verdicts.length)
  for (const kind of kinds) {
    for (const position of positions) {
      for (const [what, changes] of verdicts) {
        test(`${kind} message, processor ${position} of 3: ${what}`, () =>
          trial.prove(kind, { position, changes, denies: what in denials }))
      }
    }
  }
})

suite('The path has the ARN of the channel', () => {
  const pattern =
    'channelArn must satisfy regular expression pattern: ' +
    '^arn:[a-z0-9-.]{1,63}:[a-z0-9-.]{0,63}:[a-z0-9-.]{0,63}:[a-z0-9-.]{0,63}:[^/].{0,1023}$'
  const prefix = { shortest: 'arn:a::::', longest: `arn:${'a'.repeat(63)}${`:${'a'.repeat(63)}`.repeat(3)}:` }
  const inChannel = (channelArn: string) => ({ server, channelArn })

  // The lengths 5 and 1600 are out of reach: whatever has the pattern has 10 to 1284 characters.
  test('as short and as long as its pattern lets it be', async () => {
    for (const arn of [`${prefix.shortest}b`, `${prefix.longest}${'b'.repeat(1024)}`]) {
      const { status } = await callBack(inChannel(arn), bodyOf(await people.sendHeld()))
      assert.equal(status, 403, `${arn} is no channel of ours, but an ARN`)
    }
  })

  test('and nothing that has not the pattern', async () => {
    const body = bodyOf(await people.sendHeld())
    const { shortest, longest } = prefix
    for (const text of ['arn:b', shortest, `${shortest}/b`, 'arn:A::::b', `${longest}${'b'.repeat(1025)}`]) {
      assert.deepEqual(await violationsOf(inChannel(text), body), [pattern])
    }
    assert.deepEqual(await violationsOf(inChannel('b'.repeat(1600)), body), [pattern])
  })

  test('of 5 to 1600 characters', async () => {
    const body = bodyOf(await people.sendHeld())
    const length = (bound: string) => `channelArn must have length ${bound}`
    const [short, long] = [length('greater than or equal to 5'), length('less than or equal to 1600')]
    assert.deepEqual(await violationsOf(inChannel('arn:'), body), [short, pattern])
    assert.deepEqual(await violationsOf(inChannel('b'.repeat(1601)), body), [long, pattern])
  })
})

suite('The body has the CallbackId that the processor was given, and the processed message', () => {
  test('both, and the MessageId in it, have to be there', async () => {
    const missing = (...members: string[]) => members.map((member) => `${member} must not be null`)
    assert.deepEqual(await violationsOf(people, {}), missing('callbackId', 'channelMessage'))
    const { CallbackId } = await people.sendHeld()
    assert.deepEqual(await violationsOf(people, { CallbackId }), missing('channelMessage'))
    const nothing = { CallbackId: null, ChannelMessage: { MessageId: null } }
    assert.deepEqual(await violationsOf(people, nothing), missing('callbackId', 'channelMessage.messageId'))
  })

  test('no other member has to, and null is as good as absent', async () => {
    const absent = { Content: null, Metadata: null, PushNotification: null, MessageAttributes: null, ContentType: null }
    const event = await chained.sendHeld({ Metadata: 'm', ContentType: 'c' })
    const { status } = await callBack(chained, { ...bodyOf(event, absent), DeleteResource: null })
    assert.equal(status, 200)
    const next = await server.processors.next(event.ChannelMessage.MessageId)
    assert.deepEqual(next.ChannelMessage, event.ChannelMessage)
  })

  test('a member that the page does not have is not looked at', async () => {
    const { status } = await callBack(people, { ...bodyOf(await people.sendHeld(), { Sender: 1 }), Verdict: 'deny' })
    assert.equal(status, 200)
  })
})

suite('DeleteResource is a boolean, and true for a denial', () => {
  test('it is false when it is absent', async () => {
    const events = [await people.sendHeld(), await people.sendHeld(), await people.sendHeld()] as const
    const bodies = events.map((event) => bodyOf(event))
    await callBack(people, { ...bodies[0] })
    await callBack(people, { ...bodies[1], DeleteResource: false })
    await callBack(people, { ...bodies[2], DeleteResource: true })
    const statuses = events.map(({ ChannelMessage }) =>
      people.status(ChannelMessage.MessageId).catch(({ name }) => name),
    )
    assert.deepEqual(await Promise.all(statuses), ['SENT', 'SENT', 'ForbiddenException'])
  })

  test('and no text or number that could be meant so', async () => {
    const body = bodyOf(await people.sendHeld())
    for (const DeleteResource of ['true', 1, {}]) {
      const violations = await violationsOf(people, { ...body, DeleteResource })
      assert.deepEqual(violations, ['deleteResource must have value of type boolean'])
    }
  })
})

suite('The members have their lengths, in characters', () => {
  type Bounds = [min: number, max: number]
  /** Bodies with a text in the place of the member. */
  type Put = (event: ProcessorEvent, text: string) => object
  const message =
    (put: (text: string) => object): Put =>
    (event, text) =>
      bodyOf(event, put(text))
  const attribute = (value: string) => ({ MessageAttributes: { a: { StringValues: [value] } } })
  const attributeValue = 'channelMessage.messageAttributes.a.member.stringValues.1.member'
  // Of an id that nobody was given only the length is in question: a good one is forbidden, and no bad request.
  const bounded: Record<string, [...Bounds, character: string, status: number, Put]> = {
    callbackId: [32, 64, '🔔', 403, (event, CallbackId) => ({ ...bodyOf(event), CallbackId })],
    'channelMessage.messageId': [1, 128, 'm', 403, message((MessageId) => ({ MessageId }))],
    'channelMessage.metadata': [0, 1024, '🔔', 200, message((Metadata) => ({ Metadata }))],
    'channelMessage.contentType': [0, 45, '🔔', 200, message((ContentType) => ({ ContentType }))],
    'channelMessage.pushNotification.title': [1, 50, '🔔', 200, message((Title) => ({ PushNotification: { Title } }))],
    'channelMessage.pushNotification.body': [1, 150, '🔔', 200, message((Body) => ({ PushNotification: { Body } }))],
    [attributeValue]: [1, 512, 'm', 200, message(attribute)],
  }
  const [least, most] = ['must have length greater than or equal to', 'must have length less than or equal to']

  for (const [member, [min, max, character, status, put]] of Object.entries(bounded)) {
    test(`${member} from ${min} to ${max}`, async () => {
      for (const length of [min, max]) {
        const answer = await callBack(people, put(await people.sendHeld(), character.repeat(length)))
        assert.equal(answer.status, status, `${length} characters`)
      }
      const refused = async (length: number) =>
        violationsOf(people, put(await people.sendHeld(), character.repeat(length)))
      assert.deepEqual(await refused(max + 1), [`${member} ${most} ${max}`])
      if (min > 0) assert.deepEqual(await refused(min - 1), [`${member} ${least} ${min}`])
    })
  }

  test('the names of MessageAttributes from 1 to 64', async () => {
    const named = async (name: string) => bodyOf(await people.sendHeld(), { MessageAttributes: { [name]: {} } })
    for (const length of [1, 64]) assert.equal((await callBack(people, await named('🔔'.repeat(length)))).status, 200)
    const keys = 'channelMessage.messageAttributes Map keys must satisfy constraint:'
    assert.deepEqual(await violationsOf(people, await named('')), [`${keys} [Member ${least} 1]`])
    assert.deepEqual(await violationsOf(people, await named('🔔'.repeat(65))), [`${keys} [Member ${most} 64]`])
  })

  test("Content at least 1, and 4096 bytes at most, as AWS's quotas say", async () => {
    const body = async (Content: string) => bodyOf(await people.sendHeld(), { Content })
    for (const text of ['x', '🔔'.repeat(1024)]) assert.equal((await callBack(people, await body(text))).status, 200)
    assert.deepEqual(await violationsOf(people, await body('')), [`channelMessage.content ${least} 1`])
    const tooLong = await callBack(people, await body(`${'🔔'.repeat(1024)}x`))
    assert.match(
      tooLong.body.Message,
      /^Channel Messages size limit exceeded: a STANDARD message has at most 4096 bytes$/,
    )
  })

  test("all MessageAttributes together 1024 bytes at most, as AWS's guide says", async () => {
    const values = (bytes: number) => ({
      MessageAttributes: { ü: { StringValues: ['v'.repeat(512), 'v'.repeat(bytes - 514)] } },
    })
    assert.equal((await callBack(people, bodyOf(await people.sendHeld(), values(1024)))).status, 200)
    const tooLong = await callBack(people, bodyOf(await people.sendHeld(), values(1025)))
    assert.equal(tooLong.body.Message, 'MessageAttributes have at most 1024 bytes in all')
  })

  test('SubChannelId from 1 to 128, of a channel that is elastic: none is here', async () => {
    const body = async (SubChannelId: string) => bodyOf(await people.sendHeld(), { SubChannelId })
    for (const length of [1, 128]) {
      const { status, body: answer } = await callBack(people, await body('s'.repeat(length)))
      assert.deepEqual(
        [status, answer.Message],
        [400, 'SubChannelId is for elastic channels, and this channel is none'],
      )
    }
    assert.deepEqual(await violationsOf(people, await body('')), [`channelMessage.subChannelId ${least} 1`])
    assert.deepEqual(await violationsOf(people, await body('s'.repeat(129))), [
      `channelMessage.subChannelId ${most} 128`,
    ])
  })
})

suite('The members have their kinds', () => {
  const id = 'must satisfy regular expression pattern: ^[-_a-zA-Z0-9]*$'

  test('ids have letters, digits, - and _', async () => {
    const event = await people.sendHeld()
    for (const text of ['m.', 'm\n', 'ü', ' ']) {
      assert.deepEqual(await violationsOf(people, bodyOf(event, { MessageId: text })), [
        `channelMessage.messageId ${id}`,
      ])
      assert.deepEqual(await violationsOf(people, bodyOf(event, { SubChannelId: text })), [
        `channelMessage.subChannelId ${id}`,
      ])
    }
    assert.equal((await callBack(people, bodyOf(event, { MessageId: '-_aZ09' }))).status, 403)
  })

  test('the Type of a PushNotification is DEFAULT or VOIP', async () => {
    const body = async (Type: string) => bodyOf(await people.sendHeld(), { PushNotification: { Type } })
    for (const type of ['DEFAULT', 'VOIP']) assert.equal((await callBack(people, await body(type))).status, 200)
    const refused = 'channelMessage.pushNotification.type must satisfy enum value set: [DEFAULT, VOIP]'
    assert.deepEqual(await violationsOf(people, await body('LOUD')), [refused])
  })

  test('Content, Metadata and ContentType are any text, which comes out as it came in', async () => {
    for (const text of ['\0\n\u2028', '\ud83d', '{"a":1}', '%F0%9F%94%94', ' ']) {
      const event = await people.sendHeld()
      await people.allow(event, { Content: text, Metadata: text, ContentType: text })
      const { Content, Metadata, ContentType } = await people.read(event.ChannelMessage.MessageId, people.owner)
      assert.deepEqual([Content, Metadata, ContentType], [text, text, text])
    }
  })

  test('what is of another kind is named, every one of them', async () => {
    const wrong = {
      CallbackId: 1,
      DeleteResource: 'false',
      ChannelMessage: {
        MessageId: ['m'],
        Content: 1,
        Metadata: {},
        ContentType: false,
        SubChannelId: 's.',
        PushNotification: { Title: '', Body: 'b'.repeat(151), Type: 'LOUD' },
        MessageAttributes: { a: { StringValues: ['', 2, null] }, b: { StringValues: 'c' }, c: 'd' },
      },
    }
    const attributes = 'channelMessage.messageAttributes'
    const violations = await violationsOf(people, wrong)
    assert.deepEqual(violations.toSorted(), [
      'callbackId must have value of type string',
      'channelMessage.content must have value of type string',
      'channelMessage.contentType must have value of type string',
      `${attributes}.a.member.stringValues.1.member must have length greater than or equal to 1`,
      `${attributes}.a.member.stringValues.2.member must have value of type string`,
      `${attributes}.a.member.stringValues.3.member must not be null`,
      `${attributes}.b.member.stringValues must have value of type array`,
      `${attributes}.c.member must have value of type object`,
      'channelMessage.messageId must have value of type string',
      'channelMessage.metadata must have value of type string',
      'channelMessage.pushNotification.body must have length less than or equal to 150',
      'channelMessage.pushNotification.title must have length greater than or equal to 1',
      'channelMessage.pushNotification.type must satisfy enum value set: [DEFAULT, VOIP]',
      `channelMessage.subChannelId ${id}`,
      'deleteResource must have value of type boolean',
    ])
  })

  test('a body that is no JSON object is a bad request', async () => {
    for (const body of ['{"CallbackId":', '[]', '"text"', 'null', '\ufeff{}']) {
      const { status, type } = await callBack(people, body)
      assert.deepEqual([status, type], [400, 'BadRequestException'], body)
    }
  })
})

suite('The answer is 200 with the ChannelArn and the CallbackId', () => {
  test('and nothing else, whatever the verdict is', async () => {
    for (const verdict of [{}, { DeleteResource: true }]) {
      const event = await people.sendHeld()
      const { status, body } = await callBack(people, { ...bodyOf(event), ...verdict })
      assert.deepEqual([status, body], [200, { ChannelArn: people.channelArn, CallbackId: event.CallbackId }])
    }
  })
})

suite('CallbackId is an idempotency token to the SDKs: their own retry of a call is given its answer again', () => {
  const retryOf = (invocationId: string) => ({ headers: { 'amz-sdk-invocation-id': invocationId } })
  const verdicts = { 'an allow': {}, 'a denial': { DeleteResource: true } }

  for (const [what, verdict] of Object.entries(verdicts)) {
    test(`of ${what}, which then is not given twice`, async () => {
      const session = await server.session(people.member)
      const event = await people.sendHeld()
      const body = { ...bodyOf(event), ...verdict }
      const call = retryOf(randomUUID())
      const first = await callBack(people, body, call)
      assert.equal(first.status, 200)
      assert.deepEqual(await callBack(people, body, call), first)
      await people.send({ Type: 'CONTROL' })
      const [, told, next] = await session.eventTypes(3)
      assert.match(told!, /^(DENIED_)?CREATE/)
      assert.equal(next, 'CREATE_CHANNEL_MESSAGE')
    })
  }

  test('of a step in the middle, and after a restart too', async () => {
    const event = await chained.sendHeld()
    const [body, call] = [bodyOf(event, { Content: 'changed' }), retryOf(randomUUID())]
    const first = await callBack(chained, body, call)
    const second = await server.processors.next(event.ChannelMessage.MessageId)
    await server.restart()
    assert.deepEqual(await callBack(chained, body, call), first)
    await chained.allow(second)
    assert.equal((await server.processors.nextAfter(second)).ChannelMessage.Content, 'changed')
    assert.equal(first.status, 200)
  })

  test('of a call that is still being written: both are answered, and one event is told', async () => {
    const session = await server.session(people.owner)
    const event = await people.sendHeld()
    const [body, call] = [bodyOf(event), retryOf(randomUUID())]
    const arrivals = [store.stop('DecideStep'), store.stop('DecideStep')]
    const answers = [callBack(people, body, call), callBack(people, body, call)]
    for (const { pass } of await Promise.all(arrivals)) pass()
    assert.deepEqual(
      (await Promise.all(answers)).map(({ status }) => status),
      [200, 200],
    )
    await people.send({ Type: 'CONTROL', Content: 'next' })
    const contents = [await session.next(), await session.next()].map(
      ({ payload }) => (payload as { Content: string }).Content,
    )
    assert.deepEqual(contents, ['hello', 'next'])
  })

  test('but not another call, nor another verdict under the same invocation id', async () => {
    const event = await people.sendHeld()
    const call = retryOf(randomUUID())
    await callBack(people, bodyOf(event), call)
    const others = [
      await callBack(people, bodyOf(event), retryOf(randomUUID())),
      await callBack(people, bodyOf(event)),
      await callBack(people, bodyOf(event, { Content: 'other' }), call),
      await callBack(people, { ...bodyOf(event), DeleteResource: true }, call),
    ]
    for (const { status, body } of others) assert.deepEqual([status, body.Message], [400, notPending(event)])
  })

  test("as AWS's SDK for JavaScript does it, when the connection breaks before the answer", async () => {
    const { url, calls } = await openForgetfulProxy(server.endpoint.http)
    const { credentials } = server
    const messaging = new ChimeSDKMessaging({ endpoint: url, region: 'us-east-1', credentials })
    const event = await people.sendHeld()
    const { CallbackId, $metadata } = await messaging.channelFlowCallback({
      ChannelArn: people.channelArn,
      ...bodyOf(event, { Content: 'through' }),
    })
    assert.deepEqual([CallbackId, $metadata.attempts, calls.length], [event.CallbackId, 2, 2])
    assert.equal(calls[0]?.['amz-sdk-invocation-id'], calls[1]?.['amz-sdk-invocation-id'])
    assert.equal((await people.read(event.ChannelMessage.MessageId, people.owner)).Content, 'through')
    await assertRefused(people.allow(event), 'BadRequest', notPending(event))
    messaging.destroy()
  })
})
