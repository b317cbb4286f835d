import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { createRates } from '../../src/api/rates.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { populate } from '../support/population.ts'
import { assertRefused, outcomeOf } from '../support/refusals.ts'
import { startTestServer } from '../support/running-server.ts'

/** How many calls in a row pass. */
function passing(mayPass: ReturnType<typeof createRates>, channel = 'c'): number {
  let count = 0
  while (mayPass(channel)) count += 1
  return count
}

suite('the rate of a channel', () => {
  test('is 60 writes at once, and then 30 a second', () => {
    const clock = new ManualClock()
    const mayPass = createRates(clock.now)
    assert.equal(passing(mayPass), 60)
    clock.advance(1_000)
    assert.equal(passing(mayPass), 30)
    clock.advance(100)
    assert.equal(passing(mayPass), 3)
    clock.advance(3_600_000)
    assert.equal(passing(mayPass), 60)
  })

  test('is its own', () => {
    const mayPass = createRates(new ManualClock().now)
    assert.deepEqual([passing(mayPass, 'a'), passing(mayPass, 'b'), passing(mayPass, 'a')], [60, 60, 0])
  })

  test('stands still while the clock runs back', () => {
    let now = 10_000
    const mayPass = createRates(() => now)
    passing(mayPass)
    now = 0
    assert.equal(passing(mayPass), 0)
    now = 1_000
    assert.equal(passing(mayPass), 30)
  })

  test('is forgotten when 100,000 others have written since', () => {
    const mayPass = createRates(new ManualClock().now)
    passing(mayPass)
    for (let other = 0; other < 99_999; other++) mayPass(`${other}`)
    assert.equal(passing(mayPass), 0)
    for (let other = 0; other < 100_000; other++) mayPass(`${other}`)
    assert.equal(passing(mayPass), 60)
  })
})

suite('with --limits aws', async () => {
  const clock = new ManualClock(Date.now())
  const server = await startTestServer({ clock, flags: ['--limits', 'aws'] })
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

test('without it a channel has no rate', async () => {
  const server = await startTestServer({ clock: new ManualClock(Date.now()) })
  const people = await populate(server)
  for (let count = 0; count < 61; count++) await people.send({ Type: 'CONTROL', Persistence: 'NON_PERSISTENT' })
})
