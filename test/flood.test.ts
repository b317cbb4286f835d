import assert from 'node:assert/strict'
import { on, once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import { Agent, createServer, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { dirname, join } from 'node:path'
import { json } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { processDescriptors } from '../src/runtime/descriptors.ts'
import { Flood } from './support/flood.ts'
import { populate } from './support/population.ts'
import { unlessRequired } from './support/required.ts'

import { startTestServer } from './support/running-server.ts'

const floodSize = 3_000
/** Unauthenticated connections of one address: the default of `--connections-per-address`. */
const perAddress = 128
/** Both ends of each connection are in this process. */
const descriptorsMin = 2 * floodSize + 500

const server = await startTestServer({ flags: ['--admin-port', '0'] })
const people = await populate(server)
const port = Number(new URL(server.endpoint.http).port)

const otherAddresses = unlessRequired(await whyNoOtherAddresses())
const limit = processDescriptors().limit()
const descriptors = unlessRequired(
  limit < descriptorsMin && `the flood takes ${descriptorsMin} file descriptors, and the limit is ${limit}`,
)

async function whyNoOtherAddresses(): Promise<string | false> {
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

function clientFrom(t: TestContext, localAddress = '127.0.0.1'): ChimeSDKMessaging {
  const { credentials, endpoint } = server
  const httpAgent = new Agent({ keepAlive: true, localAddress })
  const options = { endpoint: endpoint.http, region: 'us-east-1', credentials, maxAttempts: 1 }
  const client = new ChimeSDKMessaging({ ...options, requestHandler: { httpAgent } })
  t.after(() => client.destroy())
  return client
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
    await client.sendChannelMessage(people.message({ ChimeBearer: people.owner }))
    took.push(performance.now() - startedMs)
  }
  return took
}

function median(times: number[][]): string {
  const sorted = times.flat().sort((a, b) => a - b)
  return sorted[Math.floor(sorted.length / 2)]!.toFixed(1)
}

test('3,000 silent connections from two addresses, and no call of ten clients fails', {
  skip: otherAddresses || descriptors,
}, async (t) => {
  const clients = Array.from({ length: 10 }, () => clientFrom(t))
  const [known, newcomers] = [clients.slice(0, 5), clients.slice(5)]
  const before = await Promise.all(known.map((client) => sendSome(client, 4)))
  const size = floodSize / 2
  const floods = ['127.0.0.2', '127.0.0.3'].map(
    (localAddress) => new Flood({ port, localAddress, size, attemptsMax: 1.25 * size }),
  )
  t.after(() => floods.map((flood) => flood.close()))
  const [took, took2] = await Promise.all([
    Promise.all(known.map((client) => sendSome(client, 8))),
    Promise.all(newcomers.map((client) => sendSome(client, 4))),
  ])
  const unauthenticated = await metric('carillon_connections{state="unauthenticated"}')
  const rejected = await metric('carillon_connections_rejected_total{limit="address"}')
  for (const flood of floods) flood.close()
  const statuses: Record<number, number> = {}
  for (const { endings } of floods)
    for (const [status, count] of endings) statuses[status] = (statuses[status] ?? 0) + count
  const attempts = floods.reduce((sum, flood) => sum + flood.attempts, 0)
  t.diagnostic(
    `${attempts} connections tried, ${rejected} rejected, ${unauthenticated} left open without a signature; ended with ${JSON.stringify(statuses)} (0: no response); median of a call ${median(before)} ms before, ${median(took)} ms in the flood, ${median(took2)} ms for newcomers, longest ${Math.max(...took.flat(), ...took2.flat()).toFixed(0)} ms`,
  )
  assert.ok(unauthenticated <= 2 * perAddress + 10, `${unauthenticated} connections without a signature`)
  assert.ok(rejected >= floodSize - 2 * perAddress, `only ${rejected} were rejected`)
})

test('150 sessions that connect at once, and calls meanwhile, all from one address', async () => {
  const before = await metric('carillon_connections_rejected_total{limit="address"}')
  const users = await Promise.all(Array.from({ length: 15 }, (_, index) => people.createUser(`listener-${index}`)))
  const connecting = users.flatMap((user) => Array.from({ length: 10 }, () => server.session(user)))
  const sent = sendSome(server.messaging, 10)
  const sessions = await Promise.all(connecting)
  await sent
  assert.ok((await metric('carillon_connections{state="authenticated"}')) >= 150)
  assert.equal(await metric('carillon_sessions'), 150)
  assert.equal(await metric('carillon_connections_rejected_total{limit="address"}'), before)
  for (const { webSocket } of sessions) webSocket.terminate()
})

test('unsigned sessions that do not close do not lock their address out', { skip: otherAddresses }, async (t) => {
  const localAddress = '127.0.0.4'
  const key = 'upgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAAAAAAAAAAAAAAAAAAAA=='
  const text = `GET /connect HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\n${key}\r\n\r\n`
  const sockets = Array.from({ length: perAddress }, () => connect({ port, host: '127.0.0.1', localAddress }))
  t.after(() => sockets.map((socket) => socket.destroy()))
  await Promise.all(
    sockets.map(async (socket) => {
      socket.write(text)
      let received = ''
      // The frame that closes the session follows the response to the upgrade.
      for await (const [chunk] of on(socket, 'data')) {
        received += chunk.toString('latin1')
        if (received.includes('Unauthorized')) return
      }
    }),
  )
  await sendSome(clientFrom(t, localAddress), 1)
})

/** What a function writes to its test after a callback, on a connection of its own. */
interface Outcome {
  attempts?: number
  error?: string
}

const answering = (url: string) => `
  import { ChannelFlowCallbackCommand, ChimeSDKMessagingClient } from '@aws-sdk/client-chime-sdk-messaging'
  export async function handler({ CallbackId, ChannelMessage: { ChannelArn, MessageId, Content } }) {
    const client = new ChimeSDKMessagingClient({})
    const callback = new ChannelFlowCallbackCommand({ ChannelArn, CallbackId, ChannelMessage: { MessageId, Content } })
    const outcome = await client.send(callback).then(
      ({ $metadata: { attempts } }) => ({ attempts }),
      (error) => ({ error: error.name }),
    )
    client.destroy()
    await fetch('${url}', { method: 'POST', body: JSON.stringify(outcome) })
  }`

test('callbacks of a function get through a flood from its own address', async (t) => {
  const receiver = createServer().listen(0, '127.0.0.1')
  t.after(() => receiver.close())
  await once(receiver, 'listening')
  const url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}`
  const folder = join(dirname(server.dataDir), 'functions', 'answering')
  mkdirSync(folder)
  writeFileSync(join(folder, 'index.mjs'), answering(url))
  // Each process costs more than all its callbacks.
  writeFileSync(join(folder, 'function.json'), JSON.stringify({ concurrency: 2 }))
  people.channelArn = await people.createChannel()
  await people.attachFlow(['answering'])
  const outcomes: Outcome[] = []
  const requests = on(receiver, 'request')
  const next = async () => {
    const [request, response] = (await requests.next()).value as [IncomingMessage, { end(): void }]
    outcomes.push((await json(request)) as Outcome)
    response.end()
  }
  await people.send()
  await next()
  const flood = new Flood({ port, localAddress: '127.0.0.1', size: 400, text: 'GET / HTTP/1.1\r\nhost: a\r\n' })
  t.after(() => flood.close())
  const messages = 6
  for (let count = 0; count < messages; count += 1) await people.send()
  for (let count = 0; count < messages; count += 1) await next()
  flood.close()
  t.diagnostic(`${flood.attempts} connections tried; outcomes ${JSON.stringify(outcomes)}`)
  assert.deepEqual(
    outcomes.filter(({ error }) => error !== undefined),
    [],
  )
})
