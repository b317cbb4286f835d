import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { before, suite, type TestContext, test } from 'node:test'
import { getCACertificates, setDefaultCACertificates } from 'node:tls'
import { ChimeSDKMessagingClient } from '@aws-sdk/client-chime-sdk-messaging'
import {
  DefaultMessagingSession,
  type Message,
  MessagingSessionConfiguration,
  NoOpLogger,
  PrefetchOn,
  PrefetchSortBy,
} from 'amazon-chime-sdk-js'
import { rootGrant } from '../../src/keys/grant.ts'
import { verifyConnect } from '../../src/signature/verify-connect.ts'
import { type CertifiedKey, createAuthority, issueCertificate } from '../../src/tls/issue-certificate.ts'
import { until } from '../support/until.ts'
import { channelArnOf, type SessionServer, startSessionServer, userArnOf } from './session-server.ts'

const ann = userArnOf('ann')
const channelArn = channelArnOf('c')
const region = 'us-east-1'
const rootKey = { accessKeyId: 'AKIAROOTROOTROOTROOT', secretAccessKey: 'the secret of the root key', grant: rootGrant }

let certificate: CertifiedKey
before(async () => {
  const authority = await createAuthority(Date.now())
  certificate = await issueCertificate(authority, ['localhost'], Date.now())
  setDefaultCACertificates([...getCACertificates('default'), authority.certificatePem])
})

suite('DefaultMessagingSession of amazon-chime-sdk-js', () => {
  test('starts, and receives the events of its channels in order', async (t) => {
    const server = await startTls(t)
    server.channelLog.open(channelArn, [ann])
    const app = await startApp(t, server)
    await app.start()
    for (let number = 0; number < 100; number += 1) server.publish(channelArn, 'CREATE_CHANNEL_MESSAGE', { number })
    await until(() => app.messages.length === 101)
    const [first, ...events] = app.messages
    assert.equal(first?.type, 'SESSION_ESTABLISHED')
    assert.equal(JSON.parse(first.payload), null)
    assert.deepEqual(
      events.map(({ payload }) => JSON.parse(payload).number),
      Array.from({ length: 100 }, (_, number) => number),
    )
    assert.deepEqual(
      { ...events[0]?.headers },
      {
        'x-amz-chime-event-type': 'CREATE_CHANNEL_MESSAGE',
        'x-amz-chime-message-type': 'STANDARD',
      },
    )
  })

  test('receives what it prefetches', async (t) => {
    const asked: unknown[] = []
    const server = await startTls(t, {
      async *prefetch(userArn, sortBy) {
        asked.push({ userArn, sortBy })
        for (const Name of ['a', 'b']) yield { Channel: { Name }, ChannelMessages: [{ Content: 'x'.repeat(5000) }] }
      },
    })
    const app = await startApp(t, server)
    app.configuration.prefetchOn = PrefetchOn.Connect
    app.configuration.prefetchSortBy = PrefetchSortBy.LastMessageTimestamp
    await app.start()
    await until(() => app.messages.length === 3)
    assert.deepEqual(asked, [{ userArn: ann, sortBy: 'last-message-timestamp' }])
    assert.deepEqual(
      app.messages.slice(1).map(({ type, payload }) => [type, JSON.parse(payload).Channel.Name]),
      [
        ['CHANNEL_DETAILS', 'a'],
        ['CHANNEL_DETAILS', 'b'],
      ],
    )
  })

  test('is refused with 4401 when its secret is wrong, and does not try again', { timeout: 1000 }, async (t) => {
    const server = await startTls(t)
    const app = await startApp(t, server, { ...rootKey, secretAccessKey: 'not the secret of the root key' })
    await assert.rejects(app.start(), { code: 4401, reason: /^Unauthorized: the signature does not match/ })
    assert.equal(app.endpointCalls, 1)
  })

  test('comes back by itself when the server restarts, and goes on receiving', async (t) => {
    const first = await startTls(t)
    first.channelLog.open(channelArn, [ann])
    const app = await startApp(t, first)
    await app.start()
    const { port } = first
    await first.close()
    const second = await startTls(t, {}, port)
    second.channelLog.open(channelArn, [ann])
    await until(() => app.starts === 2)
    second.publish(channelArn, 'CREATE_CHANNEL_MESSAGE')
    await until(() => app.messages.at(-1)?.type === 'CREATE_CHANNEL_MESSAGE')
    assert.equal(app.stops.length, 0)
  })

  test('ends without a code when the app stops it', async (t) => {
    const server = await startTls(t)
    const app = await startApp(t, server)
    await app.start()
    app.session.stop()
    await until(() => app.stops.length === 1)
    await until(() => server.endpoint.size.sockets === 0)
    assert.deepEqual(server.hub.size, { users: 0, channels: 0 })
  })
})

async function startTls(t: TestContext, parts: Parameters<typeof startSessionServer>[1] = {}, port = 0) {
  const server = createHttpsServer({ key: certificate.privateKeyPem, cert: certificate.certificatePem })
  const find = (accessKeyId: string) => (accessKeyId === rootKey.accessKeyId ? rootKey : undefined)
  return await startSessionServer(
    t,
    {
      authenticate: (target, host) => verifyConnect({ target, host }, find, { region }, Date.now()),
      ...parts,
    },
    { server, port },
  )
}

/** An app with a messaging session, as apps have it: it asks the API where to connect. */
class App {
  readonly configuration: MessagingSessionConfiguration
  readonly session: DefaultMessagingSession
  readonly messages: Message[] = []
  readonly stops: CloseEvent[] = []
  starts = 0
  endpointCalls = 0

  constructor(client: ChimeSDKMessagingClient) {
    this.configuration = new MessagingSessionConfiguration(ann, null, undefined, client)
    this.configuration.reconnectShortBackoffMs = 50
    this.session = new DefaultMessagingSession(this.configuration, new NoOpLogger())
    this.session.addObserver({
      messagingSessionDidStart: () => {
        this.starts += 1
      },
      messagingSessionDidReceiveMessage: (message) => {
        this.messages.push(message)
      },
      messagingSessionDidStop: (event) => {
        this.stops.push(event)
      },
    })
  }

  async start(): Promise<void> {
    await this.session.start()
  }
}

async function startApp(t: TestContext, { port }: SessionServer, credentials = rootKey): Promise<App> {
  const api = createServer((request, response) => {
    app.endpointCalls += 1
    assert.equal(request.url, '/endpoints/messaging-session')
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify({ Endpoint: { Url: `localhost:${port}` } }))
  })
  api.listen(0, '127.0.0.1')
  await once(api, 'listening')
  const endpoint = `http://127.0.0.1:${(api.address() as AddressInfo).port}`
  const client = new ChimeSDKMessagingClient({ endpoint, region, credentials })
  const app = new App(client)
  t.after(() => {
    app.session.stop()
    client.destroy()
    api.close()
  })
  return app
}
