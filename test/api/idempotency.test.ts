import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { ManualClock } from '../support/manual-clock.ts'
import { populate, processor } from '../support/population.ts'
import { assertRefused, outcomeOf, violation } from '../support/refusals.ts'
import { startTestServer } from '../support/running-server.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const people = await populate(server)
const { appInstanceArn: AppInstanceArn, owner: ChimeBearer } = people

/** Creates a resource of this name, and returns the server's id of it. */
type Make = (ClientRequestToken: string, Name: string) => Promise<string | undefined>

async function sending(Persistence: 'PERSISTENT' | 'NON_PERSISTENT', flow: string[]): Promise<Make> {
  const population = await populate(server)
  if (flow.length > 0) await population.attachFlow(flow)
  return async (ClientRequestToken, Content) =>
    (await population.send({ ClientRequestToken, Content, Persistence })).MessageId
}

const durable: Record<string, Make> = {
  CreateAppInstance: async (ClientRequestToken, Name) => {
    const { AppInstanceArn: arn } = await server.identity.createAppInstance({ Name, ClientRequestToken })
    return arn
  },
  CreateAppInstanceUser: async (ClientRequestToken, Name) => {
    const AppInstanceUserId = Buffer.from(ClientRequestToken).toString('hex').slice(0, 64)
    const user = { AppInstanceArn, AppInstanceUserId, Name }
    const { AppInstanceUserArn } = await server.identity.createAppInstanceUser({ ...user, ClientRequestToken })
    return AppInstanceUserArn
  },
  CreateChannel: async (ClientRequestToken, Name) => {
    const channel = { AppInstanceArn, ChimeBearer, Name, ClientRequestToken }
    const { ChannelArn } = await server.messaging.createChannel(channel)
    return ChannelArn
  },
  CreateChannelFlow: async (ClientRequestToken, Name) => {
    const flow = { AppInstanceArn, Name, Processors: [processor('first')], ClientRequestToken }
    const { ChannelFlowArn } = await server.messaging.createChannelFlow(flow)
    return ChannelFlowArn
  },
  SendChannelMessage: await sending('PERSISTENT', []),
  'SendChannelMessage into a flow': await sending('PERSISTENT', ['first']),
  'SendChannelMessage, NON_PERSISTENT, into a flow': await sending('NON_PERSISTENT', ['first']),
}
/** It leaves no row, so its token is remembered in memory. */
const transient = { 'SendChannelMessage, NON_PERSISTENT': await sending('NON_PERSISTENT', []) }

for (const [operation, make] of Object.entries({ ...durable, ...transient })) {
  suite(operation, () => {
    test('gives a repeated call the response of the first', async () => {
      const token = randomUUID()
      const first = await make(token, 'one')
      assert.ok(first)
      assert.equal(await make(token, 'one'), first)
      assert.notEqual(await make(randomUUID(), 'one'), first)
    })

    test('rejects the same token with other parameters', async () => {
      const token = randomUUID()
      await make(token, 'one')
      const text = 'This ClientRequestToken was used before with other parameters'
      await assertRefused(make(token, 'two'), 'Conflict', text)
    })

    test('creates one resource for ten concurrent calls', async () => {
      const token = randomUUID()
      const made = await Promise.all(Array.from({ length: 10 }, () => make(token, 'one')))
      assert.equal(new Set(made).size, 1)
    })

    test('takes one of two calls at once with the same token and other parameters', async () => {
      const token = randomUUID()
      const outcomes = await Promise.all(['one', 'two'].map((name) => outcomeOf(make(token, name))))
      assert.deepEqual(outcomes.sort(), ['Conflict', 'accepted'])
    })

    test('accepts tokens of 2 and of 64 characters', async () => {
      assert.ok(await make('-_', 'short'))
      assert.ok(await make('t'.repeat(64), 'long'))
    })

    test('rejects shorter and longer ones, and other characters', async () => {
      const rejected = (token: string, constraint: string) =>
        assertRefused(make(token, 'one'), 'BadRequest', violation('clientRequestToken', constraint))
      await rejected('t', 'have length greater than or equal to 2')
      await rejected('t'.repeat(65), 'have length less than or equal to 64')
      await rejected('two words', 'satisfy regular expression pattern: ^[-_a-zA-Z0-9]*$')
    })
  })
}

suite('a token', () => {
  test('survives a restart', async () => {
    const before = new Map<string, string | undefined>()
    for (const [operation, make] of Object.entries(durable)) before.set(operation, await make('survivor', 'one'))
    await server.restart()
    for (const [operation, make] of Object.entries(durable)) {
      assert.equal(await make('survivor', 'one'), before.get(operation), operation)
      await assertRefused(make('survivor', 'two'), 'Conflict')
    }
  })

  test('stands for one bearer, one channel and one operation', async () => {
    const ClientRequestToken = randomUUID()
    const elsewhere = await people.createChannel()
    const made = await Promise.all([
      people.send({ ClientRequestToken }),
      people.send({ ClientRequestToken, ChimeBearer: people.owner, Content: 'by another' }),
      people.send({ ClientRequestToken, ChannelArn: elsewhere, Content: 'elsewhere' }),
    ])
    assert.equal(new Set(made.map(({ MessageId }) => MessageId)).size, 3)
    assert.ok(await durable.CreateChannel!(ClientRequestToken, 'Channel'))
  })

  test('is free again when its call was rejected', async () => {
    const ClientRequestToken = randomUUID()
    const message = { ClientRequestToken, ChimeBearer: people.stranger }
    await assertRefused(people.send({ ...message, Content: 'too early' }), 'Forbidden')
    const membership = { MemberArn: people.stranger, Type: 'DEFAULT' } as const
    await server.messaging.createChannelMembership({ ChannelArn: people.channelArn, ChimeBearer, ...membership })
    const { MessageId } = await people.send({ ...message, Content: 'in time' })
    assert.equal((await people.read(MessageId)).Content, 'in time')
  })

  test('does not care in which order the members of a call are written, nor those of a map in it', async () => {
    const path = `/channels/${encodeURIComponent(people.channelArn)}/messages`
    const [a, b] = [{ StringValues: ['1'] }, { StringValues: ['2'] }]
    const send = async (body: object) => {
      const answer = await server.call('POST', path, { bearer: people.member, body })
      return answer.body.MessageId
    }
    const rest = { Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: 'order' }
    const one = await send({ Content: 'c', MessageAttributes: { a, b }, ...rest })
    assert.ok(one)
    assert.equal(await send({ ...rest, MessageAttributes: { b, a }, Content: 'c' }), one)
  })

  test('is optional for callers without an SDK: then every call counts', async () => {
    const made = [1, 2].map(() => server.call('POST', '/app-instances', { body: { Name: 'A' } }))
    const [one, other] = await Promise.all(made)
    assert.deepEqual([one?.status, other?.status], [201, 201])
    assert.notEqual(one?.body.AppInstanceArn, other?.body.AppInstanceArn)
  })

  test('of a message without a row stays valid when the channel gets a flow', async () => {
    const populated = await populate(server)
    const ClientRequestToken = randomUUID()
    const message = { ClientRequestToken, Persistence: 'NON_PERSISTENT' } as const
    const sent = await populated.send(message)
    await populated.attachFlow(['first'])
    assert.equal((await populated.send(message)).MessageId, sent.MessageId)
    await assertRefused(populated.send({ ...message, Persistence: 'PERSISTENT' }), 'Conflict')
  })

  test('of a message without a row expires after ten minutes', async () => {
    const make = transient['SendChannelMessage, NON_PERSISTENT']
    const first = await make('ten-minutes', 'one')
    clock.advance(599_999)
    assert.equal(await make('ten-minutes', 'one'), first)
    clock.advance(1)
    assert.notEqual(await make('ten-minutes', 'one'), first)
  })

  test('is remembered for a day, and not for ever', async () => {
    // A day later the SDK's signature would be too old.
    const body = { Name: 'A', ClientRequestToken: 'a-day' }
    const make = async () => (await server.call('POST', '/app-instances', { body })).body.AppInstanceArn
    const first = await make()
    clock.advance(24 * 3_600_000 - 1)
    assert.equal(await make(), first)
    clock.advance(3_600_001)
    // What is over is forgotten by and by.
    while ((await make()) === first);
  })
})
