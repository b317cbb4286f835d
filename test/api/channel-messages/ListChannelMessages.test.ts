import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { ListChannelMessagesCommandInput } from '@aws-sdk/client-chime-sdk-messaging'
import { ManualClock } from '../../support/manual-clock.ts'
import { type Population, populate, roles } from '../../support/population.ts'
import { assertRefused } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const list = async (
  { channelArn: ChannelArn, member: ChimeBearer }: Population,
  input: Partial<ListChannelMessagesCommandInput> = {},
) => (await server.messaging.listChannelMessages({ ChannelArn, ChimeBearer, ...input })).ChannelMessages!
const contents = async (people: Population, input: Partial<ListChannelMessagesCommandInput> = {}) =>
  (await list(people, input)).map(({ Content }) => Content)

/** Everybody's history, by role. */
async function histories(people: Population): Promise<Record<string, unknown>> {
  const entries = roles.map(async (role) => [role, await people.history(people[role])])
  return Object.fromEntries(await Promise.all(entries))
}

suite('ListChannelMessages', () => {
  test('returns all members of a message except its channel and its Persistence', async () => {
    const people = await populate(server)
    const sent = { Metadata: 'm', ContentType: 't', MessageAttributes: { a: { StringValues: ['v'] } } }
    const { MessageId } = await people.send(sent)
    const { ChannelArn: _, Persistence: __, ...expected } = await people.read(MessageId)
    assert.deepEqual(await list(people), [expected])
  })

  test('is in the order of sending, the newest first unless asked otherwise', async () => {
    const people = await populate(server)
    for (const Content of ['one', 'two', 'three']) await people.send({ Content })
    assert.deepEqual(await contents(people), ['three', 'two', 'one'])
    assert.deepEqual(await contents(people, { SortOrder: 'DESCENDING' }), ['three', 'two', 'one'])
    assert.deepEqual(await contents(people, { SortOrder: 'ASCENDING' }), ['one', 'two', 'three'])
  })

  test('is in the order of sending, with any order of release', async () => {
    const people = await populate(server)
    await people.attachFlow(['first'])
    const one = await people.sendHeld({ Content: 'one' })
    const two = await people.sendHeld({ Content: 'two' })
    await people.allow(two)
    await people.allow(one)
    assert.deepEqual(await people.history(people.owner), ['one', 'two'])
  })

  test('takes what was sent not before and not after a time, to the millisecond', async () => {
    const people = await populate(server)
    const times: Date[] = []
    for (const Content of ['one', 'two', 'three']) {
      clock.advance(1)
      await people.send({ Content })
      times.push(new Date(clock.now()))
    }
    const [one, two, three] = times as [Date, Date, Date]
    const SortOrder = 'ASCENDING'
    const ranges: [range: Partial<ListChannelMessagesCommandInput>, expected: string[]][] = [
      [{ NotBefore: two }, ['two', 'three']],
      [{ NotAfter: two }, ['one', 'two']],
      [{ NotBefore: two, NotAfter: two }, ['two']],
      [{ NotBefore: one, NotAfter: three }, ['one', 'two', 'three']],
      [{ NotBefore: new Date(three.getTime() + 1) }, []],
      [{ NotAfter: new Date(one.getTime() - 1) }, []],
      [{ NotBefore: three, NotAfter: one }, []],
    ]
    for (const [range, expected] of ranges) {
      assert.deepEqual(await contents(people, { SortOrder, ...range }), expected, JSON.stringify(range))
    }
  })

  test('takes a time as ISO 8601 of any offset and precision, or as seconds since the epoch', async () => {
    const people = await populate(server)
    clock.advance(1)
    await people.send()
    const at = clock.now()
    const path = `/channels/${encodeURIComponent(people.channelArn)}/messages`
    const count = async (query: string) => {
      const { body } = await server.call('GET', `${path}?${query}`, { bearer: people.member })
      return body.ChannelMessages?.length ?? body
    }
    const iso = new Date(at).toISOString()
    const shifted = new Date(at + 2 * 3_600_000).toISOString().replace('Z', '+02:00')
    for (const text of [iso, iso.replace('Z', '000Z'), shifted, String(at / 1000)]) {
      const encoded = encodeURIComponent(text)
      assert.equal(await count(`not-after=${encoded}&not-before=${encoded}`), 1, text)
    }
    assert.equal(await count(`not-before=${at / 1000}1`), 0)
    const { body } = await server.call('GET', `${path}?not-before=yesterday`, { bearer: people.member })
    assert.match(body.Message, /Value at 'notBefore' .* Member must have value of type timestamp/)
  })

  test('returns a held message only to its sender', async () => {
    const people = await populate(server, { Privacy: 'PUBLIC' })
    await people.send({ Content: 'before' })
    await people.attachFlow(['first'])
    const event = await people.sendHeld({ Content: 'held' })
    const before = Object.fromEntries(roles.map((role) => [role, ['before']]))
    assert.deepEqual(await histories(people), { ...before, member: ['before', 'held'] })
    assert.deepEqual((await list(people))[0]?.Status, { Value: 'PENDING' })
    await people.allow(event)
    assert.deepEqual(await histories(people), Object.fromEntries(roles.map((role) => [role, ['before', 'held']])))
  })

  test('returns a denied message to no user', async () => {
    const people = await populate(server)
    await people.attachFlow(['first'])
    await people.deny(await people.sendHeld())
    assert.deepEqual(await people.history(), [])
  })

  test('returns a FAILED message only to its sender', async () => {
    const people = await populate(server)
    await people.attachFlow(['not-there'])
    const session = await server.session(people.member)
    await people.send()
    await session.eventTypes(2)
    assert.equal((await list(people))[0]?.Status?.Value, 'FAILED')
    assert.deepEqual(await people.history(people.owner), [])
  })

  test('returns a targeted message only to its target and its sender', async () => {
    const people = await populate(server, { Privacy: 'PUBLIC' })
    await people.send({ Content: 'for you', Target: [{ MemberArn: people.hidden }] })
    const nothing = Object.fromEntries(roles.map((role) => [role, []]))
    assert.deepEqual(await histories(people), { ...nothing, member: ['for you'], hidden: ['for you'] })
  })

  test('pages over the messages that the bearer may read', async () => {
    const people = await populate(server)
    for (const Content of ['one', 'two', 'three']) {
      await people.send({ Content })
      await people.send({ Content: 'not for all', Target: [{ MemberArn: people.member }] })
    }
    const call = { ChannelArn: people.channelArn, ChimeBearer: people.owner, MaxResults: 2 }
    const first = await server.messaging.listChannelMessages(call)
    const second = await server.messaging.listChannelMessages({ ...call, NextToken: first.NextToken })
    const seen = [first, second].map((page) => page.ChannelMessages?.map(({ Content }) => Content))
    assert.deepEqual(seen, [['three', 'two'], ['one']])
    assert.equal(second.NextToken, undefined)
  })

  test('never shows what is NON_PERSISTENT, held or sent', async () => {
    const people = await populate(server)
    await people.send({ Persistence: 'NON_PERSISTENT' })
    await people.attachFlow(['first'])
    const event = await people.sendHeld({ Persistence: 'NON_PERSISTENT' })
    assert.deepEqual(await people.history(), [])
    await people.allow(event)
    assert.deepEqual(await people.history(), [])
  })

  test('rejects a NextToken of another range or order, other SortOrders, and sub-channels', async () => {
    const people = await populate(server)
    await people.send()
    await people.send()
    const { channelArn: ChannelArn, member: ChimeBearer } = people
    const call = { ChannelArn, ChimeBearer, MaxResults: 1 }
    const { NextToken } = await server.messaging.listChannelMessages(call)
    await assertRefused(list(people, { NextToken, SortOrder: 'ASCENDING' }), 'BadRequest', /NextToken/)
    await assertRefused(list(people, { NextToken, NotBefore: new Date(0) }), 'BadRequest', /NextToken/)
    await assertRefused(list(people, { SortOrder: 'RANDOM' as 'ASCENDING' }), 'BadRequest', /'sortOrder'/)
    await assertRefused(list(people, { SubChannelId: 's' }), 'BadRequest', /SubChannelId/)
  })
})
