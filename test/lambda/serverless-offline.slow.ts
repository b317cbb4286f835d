import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { readConfig } from '../../src/config.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import { functionArn, temporaryFolder } from '../processor/functions.ts'
import { openSocket } from '../processor/lambda-endpoint.ts'
import { SessionClient } from '../session/session-client.ts'
import { unlessRequired } from '../support/required.ts'
import { presign } from '../support/smithy-signer.ts'

const here = import.meta.dirname
const packages = join(here, 'node_modules')
const missing = existsSync(packages) ? false : 'serverless-offline is not installed: npm ci --prefix test/lambda'
const skip = unlessRequired(missing)
const region = 'us-east-1'

/** A server whose Lambda endpoint is serverless-offline, and a function there whose callbacks find the server. */
async function start(t: TestContext): Promise<RunningServer> {
  // Each has to know the other's port, so one of them is known by that of a forwarder.
  const offlinePort = Promise.withResolvers<number>()
  const { host } = await openSocket(t, async (socket) => {
    pipeline(socket, connect(await offlinePort.promise), socket, () => {})
  })
  const folder = await temporaryFolder(t)
  const names = ['--lambda-endpoint', `http://${host}`, '--lambda-function-name', 'moderation-dev-{name}']
  const free = ['--data-dir', join(folder, 'data'), '--functions', folder, '--http-port', '0', '--https-port', '0']
  const { config } = readConfig([...names, ...free], {}, () => '')
  const world = { clock: systemClock, log: silentLog, newId: randomUUID, random: Math.random }
  const server = await startServer(config, world)
  t.after(() => server.close())
  offlinePort.resolve(await startOffline(t, server, folder))
  return server
}

/** The port that serverless-offline listens on. */
async function startOffline(t: TestContext, { endpoint, credentials }: RunningServer, home: string): Promise<number> {
  const args = ['--import', join(here, 'announce-port.mjs'), join(packages, 'serverless/bin/serverless.js')]
  const child = spawn(process.execPath, [...args, 'offline', 'start', '--lambdaPort', '0'], {
    cwd: here,
    env: {
      HOME: home,
      SLS_TELEMETRY_DISABLED: '1',
      SLS_NOTIFICATIONS_MODE: 'off',
      AWS_ENDPOINT_URL_CHIME_SDK_MESSAGING: endpoint.http,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const closed = once(child, 'close')
  t.after(async () => {
    child.kill()
    await closed
  })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk
    })
  }
  const [port] = await Promise.race([once(child, 'message'), closed.then(() => assert.fail(output))])
  return port
}

/** An AppInstance with one user, who has a channel and an open messaging session. */
async function enter({ endpoint, credentials }: RunningServer) {
  const options = { endpoint: endpoint.http, region, credentials }
  const identity = new ChimeSDKIdentity(options)
  const messaging = new ChimeSDKMessaging(options)
  const { AppInstanceArn } = await identity.createAppInstance({ Name: 'moderated' })
  const user = { AppInstanceArn, AppInstanceUserId: 'ann', Name: 'Ann' }
  const { AppInstanceUserArn: ChimeBearer } = await identity.createAppInstanceUser(user)
  const { host } = new URL(endpoint.http)
  const target = `/connect?userArn=${encodeURIComponent(ChimeBearer!)}&sessionId=1`
  const call = { method: 'GET', target, headers: { host } }
  const query = await presign(call, { credentials, region, signingDate: new Date(), expiresInSeconds: 10 })
  const session = new SessionClient(`ws://${host}/connect?${new URLSearchParams(query.map((pair) => [...pair]))}`)
  assert.equal((await session.next()).eventType, 'SESSION_ESTABLISHED')
  return { messaging, session, AppInstanceArn, ChimeBearer }
}

/** What becomes of a message in a flow of this one function: the statuses that its sender hears of, and the last text. */
async function send(
  { messaging, session, AppInstanceArn, ChimeBearer }: Awaited<ReturnType<typeof enter>>,
  name: string,
) {
  const Lambda = { ResourceArn: functionArn(name), InvocationType: 'ASYNC' } as const
  const processor = { Name: name, ExecutionOrder: 1, FallbackAction: 'ABORT', Configuration: { Lambda } } as const
  const flow = await messaging.createChannelFlow({ AppInstanceArn, Name: name, Processors: [processor] })
  const { ChannelArn } = await messaging.createChannel({ AppInstanceArn, ChimeBearer, Name: name })
  await messaging.associateChannelFlow({ ChannelArn, ChimeBearer, ChannelFlowArn: flow.ChannelFlowArn })
  const Content = 'Call +1 212 555 0142'
  await messaging.sendChannelMessage({ ChannelArn, ChimeBearer, Content, Type: 'STANDARD', Persistence: 'PERSISTENT' })
  const heard: { eventType: string; content: string }[] = []
  while (heard.length < 2) {
    const { eventType, payload } = await session.next()
    if (eventType.endsWith('CHANNEL_MESSAGE'))
      heard.push({ eventType, content: (payload as { Content: string }).Content })
  }
  return heard
}

test('serverless-offline runs the function that the ARN names, and its callback decides', {
  skip,
  timeout: 60_000,
}, async (t) => {
  const ann = await enter(await start(t))
  assert.deepEqual(await send(ann, 'redact'), [
    { eventType: 'PENDING_CREATE_CHANNEL_MESSAGE', content: 'Call +1 212 555 0142' },
    { eventType: 'CREATE_CHANNEL_MESSAGE', content: 'Call [phone]' },
  ])
  assert.deepEqual(await send(ann, 'missing'), [
    { eventType: 'PENDING_CREATE_CHANNEL_MESSAGE', content: 'Call +1 212 555 0142' },
    { eventType: 'FAILED_CREATE_CHANNEL_MESSAGE', content: 'Call +1 212 555 0142' },
  ])
})
