import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { connect as connectNats } from '@nats-io/transport-node'
import type { Bus } from '../../src/bus/bus.ts'
import { connectNatsBus, type NatsBusParts } from '../../src/bus/nats.ts'
import { Subjects } from '../../src/bus/nats-wire.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { natsUrl, startNatsServer, withoutNats, withoutNatsServer } from '../support/nats-server.ts'
import { openRelay } from '../support/relay.ts'
import { until } from '../support/until.ts'
import { busSuite } from './bus-suite.ts'
import { envelope, numberOf, Recorder } from './recorder.ts'

/** A bus that is closed when the test is over. Buses with the same prefix hear each other. */
async function connect(context: TestContext, url: string, more: Partial<NatsBusParts> = {}): Promise<Bus> {
  const nats = { servers: [url] }
  const parts = { nats, prefix: 'test', nodeName: 'test', clock: new ManualClock(), log: silentLog, ...more }
  const bus = await connectNatsBus(parts)
  context.after(() => bus.close())
  return bus
}

busSuite('NATS', withoutNats, async (context) => {
  const url = await natsUrl(context)
  const prefix = `test.${randomUUID()}`
  const [here, there] = await Promise.all([connect(context, url, { prefix }), connect(context, url, { prefix })])
  return { here, there }
})

test('NATS: another prefix is another bus', { skip: withoutNats }, async (context) => {
  const url = await natsUrl(context)
  const [one, two] = [randomUUID(), randomUUID()]
  const here = await connect(context, url, { prefix: one })
  const there = new Recorder(await connect(context, url, { prefix: two }))
  const other = new Recorder(await connect(context, url, { prefix: one }))
  for (const { subscription } of [there, other]) await subscription.addChannel(numberOf('C'))
  here.publish([envelope('C', 1)])
  here.announceCatchUp()
  await other.until('catch up')
  assert.deepEqual(there.heard, [])
})

test('NATS: what a stranger says is not believed, not quoted in the log, and stops nothing', {
  skip: withoutNats,
}, async (context) => {
  const url = await natsUrl(context)
  const prefix = randomUUID()
  const errors: object[] = []
  const log = { ...silentLog, error: (fields: object, text: string) => void errors.push({ ...fields, text }) }
  const here = await connect(context, url, { prefix })
  const there = new Recorder(await connect(context, url, { prefix, log }))
  await there.subscription.addChannel(numberOf('C'))
  const stranger = await connectNats({ servers: url })
  context.after(() => stranger.close())
  stranger.publish(new Subjects(prefix).channel(numberOf('C')), 'secret {')
  await stranger.flush()
  here.publish([envelope('C', 1)])
  assert.deepEqual(await there.until('C 1 frame'), ['C 1 frame'])
  assert.equal(errors.length, 1)
  assert.doesNotMatch(inspect(errors), /secret/)
})

for (const wireRelease of ['the release before', 'an unknown kind'] as const) {
  test(`NATS: what messages of ${wireRelease} announce is read from the log`, {
    skip: withoutNats,
  }, async (context) => {
    const url = await natsUrl(context)
    const prefix = randomUUID()
    const here = await connect(context, url, { prefix, wireRelease })
    const there = new Recorder(await connect(context, url, { prefix }))
    await Promise.all([there.subscription.addChannel(numberOf('C')), there.subscription.addUser('ann')])
    here.publish([envelope('C', undefined), envelope('C', 1, { joins: ['ann'] })])
    here.announceCatchUp()
    assert.deepEqual(await there.until('catch up'), ['C reached 1', 'ann changed', 'catch up'])
  })
}

test('NATS: what is published right before a close arrives', { skip: withoutNats }, async (context) => {
  const url = await natsUrl(context)
  const prefix = randomUUID()
  const here = await connect(context, url, { prefix })
  const there = new Recorder(await connect(context, url, { prefix }))
  await there.subscription.addChannel(numberOf('C'))
  here.publish(Array.from({ length: 500 }, (_, index) => envelope('C', index + 1)))
  await here.close()
  assert.equal((await there.until('C 500 frame')).length, 500)
})

test('NATS: an event above the NATS payload limit is replaced by its number', {
  skip: withoutNats,
}, async (context) => {
  const url = await natsUrl(context)
  const prefix = randomUUID()
  const here = await connect(context, url, { prefix })
  const there = new Recorder(await connect(context, url, { prefix }))
  await Promise.all([there.subscription.addChannel(numberOf('C')), there.subscription.addUser('ann')])
  here.publish([envelope('C', 1, { frame: 'x'.repeat(1_100_000), joins: ['ann'] }), envelope('C', 2)])
  assert.deepEqual((await there.until('C 2 frame')).toSorted(), ['C 2 frame', 'C reached 1', 'ann joined C at 1'])
})

test('NATS: what others may not have got is told by its number when the server is back', {
  skip: withoutNatsServer,
}, async (context) => {
  const server = await startNatsServer(context)
  const [here, there] = [await connect(context, server.url), await connect(context, server.url)]
  const [mine, recorder] = [new Recorder(here), new Recorder(there)]
  await Promise.all([recorder.subscription.addChannel(numberOf('C')), recorder.subscription.addUser('ann')])
  await server.kill()
  await until(() => !here.connected && !there.connected)
  here.publish([envelope('C', 1), envelope('C', 2), envelope('D', 1, { joins: ['ann'] }), envelope('C', undefined)])
  assert.deepEqual(mine.heard.splice(0), ['C 1 frame', 'C 2 frame', 'D 1 frame', 'C undefined frame'])
  // Nobody waits for a server that is not there.
  assert.equal(recorder.subscription.addChannel(numberOf('E')), undefined)
  await server.start()
  await until(() => here.connected && there.connected)
  await mine.until('catch up')
  // The other one may be back later than the notices, and catches up then.
  await recorder.until('catch up')
  here.publish([envelope('C', 3), envelope('E', 1)])
  const heard = await recorder.until('E 1 frame')
  assert.ok(heard.includes('C 3 frame'))
})

test('NATS: a node that alone was cut off tells the others what they missed', {
  skip: withoutNatsServer,
}, async (context) => {
  const server = await startNatsServer(context)
  const relay = await openRelay(context, server.port)
  const here = await connect(context, `nats://127.0.0.1:${relay.port}`)
  const [mine, there] = [new Recorder(here), new Recorder(await connect(context, server.url))]
  await Promise.all([there.subscription.addChannel(numberOf('C')), there.subscription.addUser('ann')])
  await relay.cut()
  await until(() => !here.connected)
  here.publish([envelope('C', 1), envelope('C', 2), envelope('D', 1, { joins: ['ann'] }), envelope('C', undefined)])
  assert.equal(mine.heard.length, 4)
  await relay.open()
  assert.deepEqual(await there.until('ann joined D at 1'), ['C reached 2', 'ann joined D at 1'])
  await mine.until('catch up')
})

test('NATS: what was on its way when the connection broke is told again by its number', {
  skip: withoutNatsServer,
}, async (context) => {
  const server = await startNatsServer(context)
  const relay = await openRelay(context, server.port)
  const here = await connect(context, `nats://127.0.0.1:${relay.port}`)
  const there = new Recorder(await connect(context, server.url))
  await there.subscription.addChannel(numberOf('C'))
  const frame = 'x'.repeat(500_000)
  for (let seq = 1; seq <= 20; seq += 1) here.publish([envelope('C', seq, { frame })])
  await relay.cut()
  await until(() => !here.connected)
  await relay.open()
  await there.until('C reached 20')
})

test('NATS: a server that hangs makes nobody wait, and takes no memory without end', {
  skip: withoutNatsServer,
}, async (context) => {
  const server = await startNatsServer(context)
  const [here, there] = [await connect(context, server.url), new Recorder(await connect(context, server.url))]
  await there.subscription.addChannel(numberOf('C'))
  server.freeze()
  const frame = 'x'.repeat(500_000)
  const count = 200
  for (let seq = 1; seq <= count; seq += 1) here.publish([envelope('C', seq, { frame })])
  server.thaw()
  const heard = await there.until(`C reached ${count}`)
  // 16 MiB on the way are the most.
  assert.ok(heard.length < 50, `${heard.length} events were kept for a server that hangs`)
})

test('NATS: listeners catch up now and then, since servers of a cluster may lose each other unnoticed', {
  skip: withoutNats,
}, async (context) => {
  const clock = new ManualClock()
  const recorder = new Recorder(await connect(context, await natsUrl(context), { clock, prefix: randomUUID() }))
  clock.advance(29_999)
  assert.deepEqual(recorder.heard, [])
  clock.advance(1)
  assert.deepEqual(recorder.heard, ['catch up'])
})

test('NATS: a bus is closed while the server is away', { skip: withoutNatsServer }, async (context) => {
  const server = await startNatsServer(context)
  const bus = await connect(context, server.url)
  await server.kill()
  await until(() => !bus.connected)
  await bus.close()
  assert.equal(bus.connected, false)
  bus.publish([envelope('C', 1)])
})
