import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { operations } from '../../src/api/index.ts'
import { createRates } from '../../src/api/rates.ts'
import { rootGrant } from '../../src/keys/grant.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { populate } from '../support/population.ts'
import { assertRefused, outcomeOf } from '../support/refusals.ts'
import { startTestServer } from '../support/running-server.ts'

type MayPass = ReturnType<typeof createRates>

const factsOf = (name: string) => operations.find((one) => one.name === name) ?? assert.fail(name)

/** How many calls in a row pass: of one operation, in one channel, each with a bearer of its own unless one is given. */
function passing(exceededBy: MayPass, { name = 'SendChannelMessage', channel = 'c', bearer = '' } = {}): number {
  const operation = factsOf(name)
  for (let count = 0; ; count++) {
    const input = { ChannelArn: channel, ChimeBearer: bearer || `bearer ${bearers++}` }
    if (exceededBy({ operation, credentials: { grant: rootGrant }, input })) return count
  }
}

let bearers = 0

suite('the rate of a channel', () => {
  test('is 60 writes at once, and then 30 a second', () => {
    const clock = new ManualClock()
    const rates = createRates(clock.now)
    assert.equal(passing(rates), 60)
    clock.advance(1_000)
    assert.equal(passing(rates), 30)
    clock.advance(100)
    assert.equal(passing(rates), 3)
    clock.advance(3_600_000)
    assert.equal(passing(rates), 60)
  })

  test('is its own', () => {
    const rates = createRates(new ManualClock().now)
    const of = (channel: string) => passing(rates, { channel })
    assert.deepEqual([of('a'), of('b'), of('a')], [60, 60, 0])
  })

  test("is AWS's for each operation; messages and callbacks share one", () => {
    const rates = createRates(new ManualClock().now)
    const expected = {
      SendChannelMessage: 60,
      UpdateChannelMessage: 0,
      RedactChannelMessage: 0,
      DeleteChannelMessage: 0,
      ChannelFlowCallback: 0,
      CreateChannelMembership: 30,
      DeleteChannelMembership: 30,
      CreateChannelBan: 30,
      DeleteChannelBan: 30,
      CreateChannelModerator: 30,
      DeleteChannelModerator: 30,
      ListChannelMemberships: 30,
      ListChannelBans: 30,
      ListChannelModerators: 30,
      BatchCreateChannelMembership: 2,
      DescribeChannel: 40,
      ListChannelMessages: 60,
      GetChannelMessage: 60,
    }
    const names = Object.keys(expected)
    assert.deepEqual(Object.fromEntries(names.map((name) => [name, passing(rates, { name })])), expected)
    const rated = operations.filter(({ rate }) => rate).map(({ name }) => name)
    assert.deepEqual(rated.toSorted(), names.toSorted())
  })

  test('can be set, each by its name', () => {
    const rates = createRates(new ManualClock().now, { messages: 100, bearer: 3 })
    assert.equal(passing(rates), 200)
    assert.equal(passing(rates, { name: 'DescribeChannel' }), 40)
    assert.equal(passing(rates, { name: 'DescribeChannel', channel: 'd', bearer: 'ann' }), 6)
  })

  test('stands still while the clock runs back', () => {
    let now = 10_000
    const rates = createRates(() => now)
    passing(rates)
    now = 0
    assert.equal(passing(rates), 0)
    now = 1_000
    assert.equal(passing(rates), 30)
  })

  test('is forgotten when 100,000 other buckets were used since, and not before', () => {
    const rates = createRates(new ManualClock().now)
    const write = (channel: string) =>
      rates({
        operation: factsOf('ChannelFlowCallback'),
        credentials: { grant: rootGrant },
        input: { ChannelArn: channel },
      })
    const left = () => {
      for (let count = 0; ; count++) if (write('c')) return count
    }
    assert.equal(left(), 60)
    for (let other = 0; other < 99_999; other++) write(`${other}`)
    assert.equal(left(), 0)
    for (let other = 0; other < 100_000; other++) write(`${other}`)
    assert.equal(left(), 60)
  })
})

suite('the rate of a bearer', () => {
  test('is 20 calls of any kind at once, and then 10 a second', () => {
    const clock = new ManualClock()
    const rates = createRates(clock.now)
    const of = (name: string) => passing(rates, { name, bearer: 'ann' })
    assert.deepEqual([of('ListChannels'), of('SendChannelMessage')], [20, 0])
    clock.advance(1_000)
    assert.deepEqual([of('SendChannelMessage'), of('ListChannels')], [10, 0])
  })

  test('a call above it takes nothing from the channel', () => {
    const rates = createRates(new ManualClock().now)
    assert.equal(passing(rates, { bearer: 'ann' }), 20)
    for (let call = 0; call < 100; call++) passing(rates, { bearer: 'ann' })
    assert.equal(passing(rates), 40)
  })

  test("is not used up by another user's key", () => {
    const rates = createRates(new ManualClock().now)
    const grant = { kind: 'user', userArn: 'ben', directory: false } as const
    const input = { ChannelArn: 'c', ChimeBearer: 'ann' }
    for (let call = 0; call < 100; call++) {
      assert.equal(rates({ operation: factsOf('SendChannelMessage'), credentials: { grant }, input }), undefined)
    }
    assert.equal(passing(rates, { bearer: 'ann' }), 20)
  })

  test('of an ARN that is too long is not kept', () => {
    assert.equal(
      createRates(new ManualClock().now, { bearer: 1 })({
        operation: factsOf('ListChannels'),
        credentials: { grant: rootGrant },
        input: { ChimeBearer: 'a'.repeat(1_601) },
      }),
      undefined,
    )
  })
})

suite('with --limits aws', async () => {
  const clock = new ManualClock(Date.now())
  const server = await startTestServer({
    clock,
    flags: ['--limits', 'aws', '--rates', 'bearer=100000,description=100'],
  })
  const people = await populate(server)
  const ChimeBearer = people.member

  /** All that take from the same bucket; each is rejected for another reason where the rate lets it pass. */
  const writes: Record<string, () => Promise<unknown>> = {
    SendChannelMessage: () => people.send({ Content: '' }),
    UpdateChannelMessage: () => people.update('unknown'),
    RedactChannelMessage: () => people.redact('unknown'),
    DeleteChannelMessage: () => people.delete('unknown'),
    ChannelFlowCallback: () =>
      server.messaging.channelFlowCallback({ ChannelArn: people.channelArn, ChannelMessage: { MessageId: 'unknown' } }),
  }

  test('every write counts, with any outcome', async () => {
    for (const write of Object.values(writes)) {
      for (let count = 0; count < 12; count++) assert.match(await outcomeOf(write()), /^(BadRequest|Forbidden)$/)
    }
    for (const write of Object.values(writes)) await assertRefused(write(), 'Throttled', /^Rate exceeded/)
  })

  test('reading does not', async () => {
    await assertRefused(people.send(), 'Throttled')
    const { channelArn: ChannelArn } = people
    for (let count = 0; count < 61; count++) await server.messaging.describeChannel({ ChannelArn, ChimeBearer })
    await people.history()
  })

  test('a call that is not signed takes nothing from the channel', async () => {
    clock.advance(10_000)
    const target = `${server.endpoint.http}/channels/${encodeURIComponent(people.channelArn)}/messages`
    for (let count = 0; count < 61; count++) assert.equal((await fetch(target, { method: 'POST' })).status, 403)
    await people.send()
  })
})

test("with --limits aws a bearer's calls are rejected above its rate, and those of others are not", async () => {
  const clock = new ManualClock(Date.now())
  const server = await startTestServer({ clock, flags: ['--limits', 'aws'] })
  const people = await populate(server)
  const list = (ChimeBearer: string) =>
    server.messaging.listChannels({ AppInstanceArn: people.appInstanceArn, ChimeBearer })
  for (let count = 0; count < 20; count++) await list(people.member)
  await assertRefused(list(people.member), 'Throttled', /^Rate exceeded: too many calls of this bearer/)
  await list(people.stranger)
  clock.advance(100)
  await list(people.member)
})

test('without it a channel has no rate', async () => {
  const server = await startTestServer({ clock: new ManualClock(Date.now()) })
  const people = await populate(server)
  for (let count = 0; count < 61; count++) await people.send({ Type: 'CONTROL', Persistence: 'NON_PERSISTENT' })
})
