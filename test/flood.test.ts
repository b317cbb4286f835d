import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'node:test'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { processDescriptors } from '../src/runtime/descriptors.ts'
import { Flood } from './support/flood.ts'
import { populate } from './support/population.ts'
import { unlessRequired } from './support/required.ts'
import { startTestServer } from './support/running-server.ts'

const floodSize = 3_000
/** Both ends of each connection are in this process. */
const descriptorsMin = 2 * floodSize + 500

const server = await startTestServer({ flags: ['--admin-port', '0'] })
const people = await populate(server)
const port = Number(new URL(server.endpoint.http).port)

const skip = unlessRequired(await whyNot())

async function whyNot(): Promise<string | false> {
  const limit = processDescriptors().limit()
  if (limit < descriptorsMin) return `the flood takes ${descriptorsMin} file descriptors, and the limit is ${limit}`
  const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' })
  try {
    await once(socket, 'connect')
    return false
  } catch {
    return 'this machine has no address 127.0.0.2'
  } finally {
    socket.destroy()
  }
}

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${server.endpoint.admin}/metrics`)).text()
  return Number(
    text
      .split('\n')
      .find((line) => line.startsWith(`${name} `))
      ?.slice(name.length + 1) ?? 0,
  )
}

/** How long each call took, in milliseconds. Rejects if one fails. */
async function sendSome(client: ChimeSDKMessaging, calls: number): Promise<number[]> {
  const took: number[] = []
  for (let index = 0; index < calls; index += 1) {
    const startedMs = performance.now()
    await client.sendChannelMessage({
      ChannelArn: people.channelArn,
      ChimeBearer: people.owner,
      Content: `${index}`,
      Type: 'STANDARD',
      Persistence: 'PERSISTENT',
    })
    took.push(performance.now() - startedMs)
  }
  return took
}

test('3,000 silent connections from two addresses, and no call of five clients fails', { skip }, async (t) => {
  const clientOf = () => {
    const { http: endpoint } = server.endpoint
    const client = new ChimeSDKMessaging({
      endpoint,
      region: 'us-east-1',
      credentials: server.credentials,
      maxAttempts: 1,
    })
    t.after(() => client.destroy())
    return client
  }
  const before = await Promise.all([1, 2, 3, 4, 5].map(() => sendSome(clientOf(), 10)))
  const floods = ['127.0.0.2', '127.0.0.3'].map((address) => new Flood(port, address, floodSize / 2))
  t.after(() => floods.map((flood) => flood.close()))
  // Five that go on with their connections, and five that begin in the middle of it.
  const took = await Promise.all([1, 2, 3, 4, 5].map(() => sendSome(clientOf(), 10)))
  const newcomers = await Promise.all([1, 2, 3, 4, 5].map(() => sendSome(clientOf(), 3)))
  const unauthenticated = await metric('carillon_connections{state="unauthenticated"}')
  const rejected = await metric('carillon_connections_rejected_total{limit="address"}')
  for (const flood of floods) flood.close()
  const statuses = new Map<number, number>()
  for (const { endings } of floods)
    for (const [status, count] of endings) statuses.set(status, (statuses.get(status) ?? 0) + count)
  const median = (times: number[][]) =>
    times
      .flat()
      .sort((a, b) => a - b)
      [Math.floor(times.flat().length / 2)]!.toFixed(1)
  const attempts = floods.reduce((sum, flood) => sum + flood.attempts, 0)
  t.diagnostic(
    `${attempts} connections tried, ${rejected} rejected, ${unauthenticated} left open without a signature; ended with ${JSON.stringify(Object.fromEntries(statuses))} (0: no answer); median of a call ${median(before)} ms before, ${median(took)} ms in the flood, ${median(newcomers)} ms for newcomers, longest ${Math.max(...took.flat(), ...newcomers.flat()).toFixed(0)} ms`,
  )
  assert.ok(unauthenticated <= 2 * 128 + 10, `${unauthenticated} connections without a signature`)
  assert.ok(rejected >= floodSize - 2 * 128, `only ${rejected} were rejected`)
})

test('200 sessions that connect at once, and calls meanwhile, all from one address', async () => {
  const before = await metric('carillon_connections_rejected_total{limit="address"}')
  const users = await Promise.all(Array.from({ length: 25 }, (_, index) => people.createUser(`listener-${index}`)))
  const connecting = users.flatMap((user) => Array.from({ length: 8 }, () => server.session(user)))
  const sent = sendSome(server.messaging, 10)
  const sessions = await Promise.all(connecting)
  await sent
  assert.ok((await metric('carillon_connections{state="authenticated"}')) >= 200)
  assert.equal(await metric('carillon_sessions'), 200)
  assert.equal(await metric('carillon_connections_rejected_total{limit="address"}'), before)
  for (const { webSocket } of sessions) webSocket.terminate()
})
