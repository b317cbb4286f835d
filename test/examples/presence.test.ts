import assert from 'node:assert/strict'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { RecordingLog } from '../processor/functions.ts'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'
import { sample } from './sample.ts'

const { presenceIn, withPresence } = await sample('presence/index.mjs')

suite('presence', () => {
  const others = { colour: 'blue', presence: { bob: 'away' } }

  test('is what a message says of its sender', () => assert.equal(presenceIn('{"presence":"online"}'), 'online'))

  for (const metadata of [undefined, '', '{}', 'null', '"presence"', 'presence']) {
    test(`is not in ${metadata}`, () => assert.equal(presenceIn(metadata), undefined))
  }

  test('is put beside what else a channel has', () => {
    assert.equal(withPresence(undefined, 'ann', 'online'), '{"presence":{"ann":"online"}}')
    assert.deepEqual(JSON.parse(withPresence(JSON.stringify(others), 'ann', { typing: true })), {
      colour: 'blue',
      presence: { bob: 'away', ann: { typing: true } },
    })
  })

  test('is not put where it is already', () => {
    assert.equal(withPresence(JSON.stringify(others), 'bob', 'away'), undefined)
  })

  for (const metadata of ['Our lobby', '[]', '"Our lobby"']) {
    test(`is never put in the place of ${metadata}`, () => assert.throws(() => withPresence(metadata, 'ann', 'online')))
  }
})

suite('presence, in the flow of a channel', async () => {
  const log = new RecordingLog()
  const functions = join(import.meta.dirname, '../../examples/processors')
  const server = await startTestServer({ flags: ['--functions', functions], log })

  /** A channel of its own, with sessions of the sender and of another member. */
  async function createChannel(Metadata = '{"colour":"blue"}') {
    const people = await populate(server, { Metadata })
    await people.attachFlow(['presence'])
    const { channelArn: ChannelArn, owner: ChimeBearer } = people
    return {
      sender: await server.session(people.member),
      other: await server.session(people.owner),
      send: (message: object) => people.send({ Content: 'I am here', ...message }),
      describe: async () => (await server.messaging.describeChannel({ ChannelArn, ChimeBearer })).Channel!,
    }
  }
  const online = { Metadata: '{"presence":"online"}' }

  test('a new one is shown to the members by UPDATE_CHANNEL, and its message passes', async () => {
    const { sender, other, send, describe } = await createChannel()
    const { MessageId } = await send(online)
    assert.deepEqual(await sender.eventTypes(3), [
      'PENDING_CREATE_CHANNEL_MESSAGE',
      'UPDATE_CHANNEL',
      'CREATE_CHANNEL_MESSAGE',
    ])
    const Metadata = '{"colour":"blue","presence":{"member":"online"}}'
    const [update, create] = [await other.next(), await other.next()]
    assert.equal(update.eventType, 'UPDATE_CHANNEL')
    assert.equal((update.payload as typeof online).Metadata, Metadata)
    const { Content, ...delivered } = create.payload as Record<string, unknown>
    assert.deepEqual([delivered.MessageId, Content, delivered.Metadata], [MessageId, 'I am here', online.Metadata])
    const channel = await describe()
    assert.deepEqual([channel.Metadata, channel.Name, channel.Mode], [Metadata, 'Lobby', 'RESTRICTED'])
  })

  test('the same again is denied, and nobody else hears of it', async () => {
    const { sender, other, send } = await createChannel('{"presence":{"member":"online"}}')
    await send(online)
    assert.deepEqual(await sender.eventTypes(2), ['PENDING_CREATE_CHANNEL_MESSAGE', 'DENIED_CREATE_CHANNEL_MESSAGE'])
    const { MessageId } = await send({ Metadata: '{"presence":"away"}' })
    assert.deepEqual(await other.eventTypes(1), ['UPDATE_CHANNEL'])
    assert.equal(((await other.next()).payload as { MessageId: string }).MessageId, MessageId)
  })

  test('a message that says nothing of it passes, and leaves the channel as it is', async () => {
    const { other, send, describe } = await createChannel()
    const { LastUpdatedTimestamp } = await describe()
    await send({ Metadata: '{"colour":"red"}' })
    assert.deepEqual(await other.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
    assert.deepEqual((await describe()).LastUpdatedTimestamp, LastUpdatedTimestamp)
  })

  for (const [what, metadata, problem] of [
    ['is full', JSON.stringify({ colours: 'x'.repeat(1000) }), 'BadRequestException: 1 validation error detected'],
    ['is no JSON', 'Our lobby', 'SyntaxError: Unexpected token'],
  ] as const) {
    test(`where the channel's Metadata ${what}, the log says so, and the message passes`, async () => {
      const { other, send, describe } = await createChannel(metadata)
      const { MessageId } = await send(online)
      assert.deepEqual(await other.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
      await log.waitFor(`the presence in message ${MessageId} is not kept: ${problem}`)
      assert.equal((await describe()).Metadata, metadata)
    })
  }
})
