import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, suite, type TestContext, test } from 'node:test'
import tls from 'node:tls'
import { ChimeSDKIdentity, ServiceUnavailableException } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { DefaultMessagingSession, MessagingSessionConfiguration, NoOpLogger } from 'amazon-chime-sdk-js'
import { readConfig } from '../../src/config.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import { type CertifiedKey, createAuthority, issueCertificate } from '../../src/tls/issue-certificate.ts'
import { type DocumentedProxy, missing, proxies, startProxy } from './proxies.ts'

const region = 'us-east-1'

let certified: CertifiedKey
before(async () => {
  const authority = await createAuthority(Date.now())
  certified = await issueCertificate(authority, ['localhost'], Date.now())
  tls.setDefaultCACertificates([...tls.getCACertificates(), authority.certificatePem])
})

/** Carillon without TLS, the proxy before it, and AWS's own clients before that. */
class Behind {
  readonly url: string
  readonly identity: ChimeSDKIdentity
  readonly messaging: ChimeSDKMessaging
  readonly server: RunningServer
  /** What is put on it last stops first. */
  readonly stack: AsyncDisposableStack

  constructor(server: RunningServer, url: string, stack: AsyncDisposableStack) {
    const options = { endpoint: url, region, credentials: server.credentials, maxAttempts: 1 }
    this.url = url
    this.server = server
    this.identity = new ChimeSDKIdentity(options)
    this.messaging = new ChimeSDKMessaging(options)
    this.stack = stack
    stack.defer(() => {
      this.identity.destroy()
      this.messaging.destroy()
    })
  }

  async user(): Promise<string> {
    const { AppInstanceArn } = await this.identity.createAppInstance({ Name: 'proxied' })
    const user = { AppInstanceArn, AppInstanceUserId: 'ann', Name: 'Ann' }
    const { AppInstanceUserArn } = await this.identity.createAppInstanceUser(user)
    return AppInstanceUserArn!
  }

  /** Opens a messaging session, which hears the text of the first message. */
  async session(userArn: string): Promise<{ heard: Promise<string> }> {
    const configuration = new MessagingSessionConfiguration(userArn, null, undefined, this.messaging)
    const session = new DefaultMessagingSession(configuration, new NoOpLogger())
    const { promise: heard, resolve } = Promise.withResolvers<string>()
    const { promise: stopped, resolve: stop } = Promise.withResolvers<void>()
    session.addObserver({
      messagingSessionDidReceiveMessage: ({ type, payload }) => {
        if (type === 'CREATE_CHANNEL_MESSAGE') resolve(JSON.parse(payload).Content)
      },
      messagingSessionDidStop: () => stop(),
    })
    await session.start()
    this.stack.defer(async () => {
      session.stop()
      await stopped
    })
    return { heard }
  }
}

async function startBehind(t: TestContext, proxy: DocumentedProxy, change?: (text: string) => string): Promise<Behind> {
  const stack = new AsyncDisposableStack()
  t.after(() => stack.disposeAsync())
  const front = createServer()
  await once(front.listen(0, '127.0.0.1'), 'listening')
  stack.defer(() => void front.close())
  const publicHost = `localhost:${(front.address() as AddressInfo).port}`
  const folder = mkdtempSync(join(tmpdir(), 'carillon-proxied-'))
  stack.defer(() => rmSync(folder, { recursive: true }))
  const flags = ['--data-dir', folder, '--http-port', '0', '--tls', 'off', '--public-host', publicHost]
  const { config } = readConfig(flags, {}, () => '')
  const world = { clock: systemClock, log: silentLog, newId: randomUUID, random: Math.random, strict: true }
  const server = await startServer(config, world)
  stack.defer(() => server.close())
  const backend = server.endpoint.http
  stack.defer(await startProxy(proxy, { certified, backend, front, ...(change && { change }) }))
  return new Behind(server, `https://${publicHost}`, stack)
}

/** ARNs in paths and in the query, an emoji in a body, and a session. */
async function converse(behind: Behind): Promise<void> {
  const { messaging } = behind
  const ChimeBearer = await behind.user()
  const AppInstanceArn = ChimeBearer.split('/user/')[0]
  const { ChannelArn } = await messaging.createChannel({ AppInstanceArn, Name: 'Tür & Tor', ChimeBearer })
  const { heard } = await behind.session(ChimeBearer)
  const Content = 'Grüße 😀 50 % + 1/2'
  const message = { Content, Type: 'STANDARD', Persistence: 'PERSISTENT' } as const
  await messaging.sendChannelMessage({ ChannelArn, ChimeBearer, ...message })
  assert.equal(await heard, Content)
  const { ChannelMessages } = await messaging.listChannelMessages({ ChannelArn, ChimeBearer })
  assert.deepEqual(
    ChannelMessages?.map((listed) => listed.Content),
    [Content],
  )
}

for (const proxy of Object.values(proxies)) {
  const skip = missing(proxy)
  suite(`behind ${proxy.name}, with its documented configuration,`, () => {
    test("AWS's clients send, list and open sessions", { skip }, async (t) => {
      await converse(await startBehind(t, proxy))
    })

    test('errors arrive as Carillon has put them', { skip }, async (t) => {
      const { url, messaging } = await startBehind(t, proxy)
      const ChannelArn = 'arn:aws:chime:us-east-1:000000000000:app-instance/a/channel/b'
      const ChimeBearer = 'arn:aws:chime:us-east-1:000000000000:app-instance/a/user/b'
      await assert.rejects(messaging.describeChannel({ ChannelArn, ChimeBearer }), {
        name: 'UnauthorizedClientException',
      })

      const tooLarge = await fetch(`${url}/channels`, { method: 'POST', body: 'x'.repeat(1024 * 1024 + 1) })
      assert.equal(tooLarge.status, 413)
      assert.equal(((await tooLarge.json()) as { Code: string }).Code, 'BadRequest')

      const longest = encodeURIComponent('/'.repeat(1600))
      const unsigned = await fetch(`${url}/channels/${longest}/messages/${longest}`)
      assert.equal(unsigned.headers.get('x-amzn-errortype'), 'MissingAuthenticationTokenException')
      assert.ok(unsigned.headers.has('x-amzn-requestid'))
    })

    test('callers are told to try again while Carillon is away', { skip }, async (t) => {
      const { server, identity } = await startBehind(t, proxy)
      await server.close()
      await assert.rejects(identity.createAppInstance({ Name: 'a' }), (error: ServiceUnavailableException) => {
        assert.ok(error instanceof ServiceUnavailableException)
        assert.equal(error.$response?.statusCode, 503)
        assert.equal(error.$response.headers['access-control-allow-origin'], '*')
        return true
      })
    })
  })
}

suite('behind nginx, with a configuration that was changed,', () => {
  const skip = missing(proxies.nginx)
  const replace = (documented: string, by: string) => (text: string) => {
    assert.equal(text.split(documented).length, 2)
    return text.replace(documented, () => by)
  }

  test('a path behind proxy_pass decodes %2F, and calls with an ARN in their path fail', { skip }, async (t) => {
    const change = replace('proxy_pass http://carillon;', 'proxy_pass http://carillon/;')
    const behind = await startBehind(t, proxies.nginx, change)
    await assert.rejects(converse(behind), { name: 'UnknownOperationException' })
  })

  test('another Host header is made up for by the public host, in calls and sessions alike', { skip }, async (t) => {
    const change = replace('proxy_set_header Host $http_host;', 'proxy_set_header Host internal.example.com;')
    await converse(await startBehind(t, proxies.nginx, change))
  })
})
