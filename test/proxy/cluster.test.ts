import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, suite, type TestContext, test } from 'node:test'
import tls from 'node:tls'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging, ServiceUnavailableException } from '@aws-sdk/client-chime-sdk-messaging'
import { DefaultMessagingSession, MessagingSessionConfiguration, NoOpLogger } from 'amazon-chime-sdk-js'
import { readConfig } from '../../src/config.ts'
import { backUpStore, storeFile } from '../../src/open-store.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import type { Store } from '../../src/store/store.ts'
import { type CertifiedKey, createAuthority, issueCertificate } from '../../src/tls/issue-certificate.ts'
import { aroundStore } from '../support/around-store.ts'
import { type DocumentedProxy, missing, proxies, startProxy } from './proxies.ts'

const region = 'us-east-1'
const skip = missing({ ...proxies.haproxy, file: 'cluster-haproxy.cfg' })

let certified: CertifiedKey
before(async () => {
  const authority = await createAuthority(Date.now())
  certified = await issueCertificate(authority, ['localhost'], Date.now())
  tls.setDefaultCACertificates([...tls.getCACertificates(), authority.certificatePem])
})

/** The documented balancer before these two nodes. */
const balancer = (nodes: readonly RunningServer[]): DocumentedProxy => ({
  ...proxies.haproxy,
  file: 'cluster-haproxy.cfg',
  yours: ({ socket, both }) => [
    [
      'bind :443 ssl crt /run/secrets/certificate alpn h2,http/1.1 # yours',
      `bind unix@${socket} ssl crt ${both} alpn h2,http/1.1`,
    ],
    ...nodes.map(({ endpoint }, index): [string, string] => {
      const [api, admin] = [new URL(endpoint.http), new URL(endpoint.admin!)]
      const name = `node-${index + 1}`
      return [`server ${name} ${name}:8080 port 8081 # yours`, `server ${name} ${api.host} port ${admin.port}`]
    }),
  ],
})

interface Cluster {
  nodes: [RunningServer, RunningServer]
  /** Calls through the balancer. */
  messaging: ChimeSDKMessaging
  /** Calls to each node itself. */
  direct: [ChimeSDKMessaging, ChimeSDKMessaging]
  channelArn: string
  userArn: string
}

interface Options {
  aroundStore?(store: Store): Store
  change?(text: string): string
}

/**
 * Two nodes with one history: each has a copy of the same store, and what is sent from then on is on the node that took
 * it. So a test sees which one that was.
 */
async function startCluster(t: TestContext, { aroundStore, change }: Options = {}): Promise<Cluster> {
  const stack = new AsyncDisposableStack()
  t.after(() => stack.disposeAsync())
  const front = createServer()
  await once(front.listen(0, '127.0.0.1'), 'listening')
  stack.defer(() => void front.close())
  const publicHost = `localhost:${(front.address() as AddressInfo).port}`
  const folder = mkdtempSync(join(tmpdir(), 'carillon-cluster-'))
  stack.defer(() => rmSync(folder, { recursive: true }))

  const start = async (name: string, more: Pick<Options, 'aroundStore'> = {}) => {
    const flags = ['--data-dir', join(folder, name), '--http-port', '0', '--tls', 'off', '--public-host', publicHost]
    const { config } = readConfig([...flags, '--admin-port', '0'], {}, () => '')
    const world = { clock: systemClock, log: silentLog, newId: randomUUID, random: Math.random, strict: true }
    const server = await startServer(config, { ...world, ...more })
    stack.defer(() => server.close())
    return server
  }
  const clientOf = (endpoint: string, credentials: RunningServer['credentials']) => {
    const client = new ChimeSDKMessaging({ endpoint, region, credentials, maxAttempts: 1 })
    stack.defer(() => client.destroy())
    return client
  }

  const seed = await start('seed')
  const { channelArn, userArn } = await populate(seed)
  await seed.close()
  for (const name of ['one', 'two']) {
    mkdirSync(join(folder, name))
    backUpStore(join(folder, 'seed', storeFile), join(folder, name, storeFile))
  }
  const nodes = [await start('one', { ...(aroundStore && { aroundStore }) }), await start('two')] as const
  const beginning = { certified, backend: nodes[0].endpoint.http, front, ...(change && { change }) }
  stack.defer(await startProxy(balancer(nodes), beginning))
  const direct = nodes.map(({ endpoint, credentials }) => clientOf(endpoint.http, credentials))
  return {
    nodes: [...nodes],
    messaging: clientOf(`https://${publicHost}`, nodes[0].credentials),
    direct: direct as Cluster['direct'],
    channelArn,
    userArn,
  }
}

async function populate({ endpoint, credentials }: RunningServer) {
  const options = { endpoint: endpoint.http, region, credentials }
  const [identity, messaging] = [new ChimeSDKIdentity(options), new ChimeSDKMessaging(options)]
  const { AppInstanceArn } = await identity.createAppInstance({ Name: 'clustered' })
  const user = { AppInstanceArn, AppInstanceUserId: 'ann', Name: 'Ann' }
  const { AppInstanceUserArn } = await identity.createAppInstanceUser(user)
  const channel = { AppInstanceArn, Name: 'talk', ChimeBearer: AppInstanceUserArn }
  const { ChannelArn } = await messaging.createChannel(channel)
  identity.destroy()
  messaging.destroy()
  return { channelArn: ChannelArn!, userArn: AppInstanceUserArn! }
}

/** Sends through the balancer, and answers which node took it. */
async function send({ messaging, direct, channelArn, userArn }: Cluster, stopped: number[] = []): Promise<number> {
  const place = { ChannelArn: channelArn, ChimeBearer: userArn }
  const message = { Content: 'Grüße 😀', Type: 'STANDARD', Persistence: 'PERSISTENT' } as const
  const { MessageId } = await messaging.sendChannelMessage({ ...place, ...message })
  const has = async (index: number) => {
    if (stopped.includes(index)) return false
    const { ChannelMessages } = await direct[index]!.listChannelMessages(place)
    return ChannelMessages!.some((listed) => listed.MessageId === MessageId)
  }
  const [one, two] = [await has(0), await has(1)]
  assert.notEqual(one, two)
  return one ? 0 : 1
}

/** Opens a messaging session through the balancer, which hears the first message that its node is sent. */
async function openSession(t: TestContext, { messaging, userArn }: Cluster): Promise<{ heard: Promise<string> }> {
  const configuration = new MessagingSessionConfiguration(userArn, null, undefined, messaging)
  // Or it would outlive its nodes.
  configuration.reconnectTimeoutMs = 0
  const session = new DefaultMessagingSession(configuration, new NoOpLogger())
  const { promise: heard, resolve } = Promise.withResolvers<string>()
  session.addObserver({
    messagingSessionDidReceiveMessage: ({ type, payload }) => {
      if (type === 'CREATE_CHANNEL_MESSAGE') resolve(JSON.parse(payload).Content)
    },
  })
  await session.start()
  t.after(() => session.stop())
  return { heard }
}

suite('behind haproxy, with the documented configuration of a cluster,', () => {
  test('calls go to the nodes in turn, sessions to either', { skip }, async (t) => {
    const cluster = await startCluster(t)
    const { heard } = await openSession(t, cluster)
    const took = [await send(cluster), await send(cluster), await send(cluster), await send(cluster)]
    assert.deepEqual(took.toSorted(), [0, 0, 1, 1])
    assert.equal(await heard, 'Grüße 😀')
  })

  test('calls and sessions go on when a node is gone, each at the first attempt', { skip }, async (t) => {
    const cluster = await startCluster(t)
    await cluster.nodes[0].close()
    for (let count = 0; count < 4; count += 1) assert.equal(await send(cluster, [0]), 1)
    const { heard } = await openSession(t, cluster)
    await send(cluster, [0])
    assert.equal(await heard, 'Grüße 😀')
  })

  test('a node that says it is not ready is left alone', { skip }, async (t) => {
    let broken = false
    const cluster = await startCluster(t, {
      change: (text) => text.replace('check inter 1s', () => 'check inter 20ms'),
      aroundStore: (store) =>
        aroundStore(store, { ready: () => (broken ? Promise.reject(new Error('away')) : store.ready()) }),
    })
    broken = true
    // In turn until the balancer has noticed: two in a row mean that it has.
    while ((await send(cluster)) === 0 || (await send(cluster)) === 0);
    for (let count = 0; count < 4; count += 1) assert.equal(await send(cluster), 1)
    broken = false
    while ((await send(cluster)) === 1);
  })

  test('callers are told to try again while no node is there', { skip }, async (t) => {
    const cluster = await startCluster(t)
    await Promise.all(cluster.nodes.map((node) => node.close()))
    await assert.rejects(send(cluster), (error: ServiceUnavailableException) => {
      assert.ok(error instanceof ServiceUnavailableException)
      assert.equal(error.$response?.statusCode, 503)
      return true
    })
  })
})
