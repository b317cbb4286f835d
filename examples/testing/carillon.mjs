/*
 * A Carillon for one test file: on free ports, with its data in a temporary folder. Copy this file beside your tests.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'

const credentials = { accessKeyId: 'KEYFORTESTSALONE', secretAccessKey: 'secret-for-tests-alone' }

/** `functions` is the folder of your processors. Call `stop` after the tests. */
export async function startCarillon(functions) {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-test-'))
  const ports = ['--http-port', '0', '--https-port', '0']
  const flags = ['--data-dir', folder, '--functions', functions, '--log-level', 'warn', ...ports]
  const { accessKeyId: CARILLON_ACCESS_KEY_ID, secretAccessKey: CARILLON_SECRET_ACCESS_KEY } = credentials
  const server = spawn(process.execPath, ['node_modules/carillon/bin/carillon.js', 'serve', ...flags], {
    env: { ...process.env, CARILLON_ACCESS_KEY_ID, CARILLON_SECRET_ACCESS_KEY },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const exited = once(server, 'exit')
  const isRunning = () => server.exitCode === null && server.signalCode === null
  const stop = async () => {
    server.kill()
    await exited
    await rm(folder, { recursive: true })
  }
  // The server writes this file when it is ready.
  const endpointFile = join(folder, 'endpoint.json')
  while (!existsSync(endpointFile) && isRunning()) await setTimeout(50)
  if (!isRunning()) {
    await stop()
    throw new Error('carillon did not start; see its log above')
  }
  const { http: endpoint, region } = JSON.parse(await readFile(endpointFile, 'utf8'))
  const identity = new ChimeSDKIdentity({ endpoint, region, credentials })
  const messaging = new ChimeSDKMessaging({ endpoint, region, credentials })
  return { identity, messaging, stop }
}

/** Creates a channel whose messages this function processes. Returns a function that sends and awaits the verdict. */
export async function openChannel({ identity, messaging }, functionName) {
  const { AppInstanceArn } = await identity.createAppInstance({ Name: 'test' })
  const user = { AppInstanceArn, AppInstanceUserId: 'ann', Name: 'Ann' }
  const { AppInstanceUserArn: ChimeBearer } = await identity.createAppInstanceUser(user)
  const ResourceArn = `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`
  const Configuration = { Lambda: { ResourceArn, InvocationType: 'ASYNC' } }
  const Processors = [{ Name: 'processor', Configuration, ExecutionOrder: 1, FallbackAction: 'ABORT' }]
  // A message whose processor crashes or never answers is FAILED after this time, instead of after 48 hours.
  const Tags = [{ Key: 'carillon:deadline', Value: '10s' }]
  const { ChannelFlowArn } = await messaging.createChannelFlow({ AppInstanceArn, Name: 'flow', Processors, Tags })
  const { ChannelArn } = await messaging.createChannel({ AppInstanceArn, Name: 'channel', ChimeBearer })
  await messaging.associateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer })

  return async function send(Content) {
    const text = { Content, Type: 'STANDARD', Persistence: 'PERSISTENT' }
    const { MessageId } = await messaging.sendChannelMessage({ ChannelArn, ChimeBearer, ...text })
    const message = { ChannelArn, ChimeBearer, MessageId }
    for (;;) {
      const status = await statusOf(messaging, message)
      if (status === 'SENT')
        return { status, text: (await messaging.getChannelMessage(message)).ChannelMessage.Content }
      if (status !== 'PENDING') return { status }
      await setTimeout(50)
    }
  }
}

/** PENDING, SENT or FAILED. A denied message is not kept, so asking for its status is refused. */
async function statusOf(messaging, message) {
  try {
    return (await messaging.getChannelMessageStatus(message)).Status.Value
  } catch (error) {
    if (error.name === 'ForbiddenException') return 'DENIED'
    throw error
  }
}
