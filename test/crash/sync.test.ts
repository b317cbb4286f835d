import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { processor } from '../support/population.ts'
import { Processors } from '../support/processors.ts'
import { unlessRequired } from '../support/required.ts'

const script = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const calls = 'trace=fsync,fdatasync,write,writev,sendto,sendmsg'
const traces = spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0
const untraced = 'strace IS NOT INSTALLED OR MAY NOT TRACE: the sync before each answer IS NOT TESTED'
const skip = unlessRequired(traces ? false : untraced)

/** What the kernel was asked, in its order: `sync` of the write-ahead log, and `201 Created` and so on as it goes out. */
function events(trace: string): string[] {
  return trace.split('\n').flatMap((line) => {
    if (/f(data)?sync\(.*carillon\.sqlite-wal/.test(line)) return ['sync']
    // The first header is that of the API's answers; the Lambda Runtime API has it not.
    const [, answer] = /"HTTP\/1\.1 (\d{3} [A-Za-z ]+)\\r\\nx-amzn-RequestId/.exec(line) ?? []
    return answer === undefined ? [] : [answer]
  })
}

test('the write-ahead log is synced before each answer to a send and to a callback', { skip }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-sync-'))
  const trace = join(folder, 'trace')
  const functions = join(folder, 'functions')
  const processors = await Processors.open(functions)
  const release = processors.hold()
  const flags = ['--data-dir', join(folder, 'data'), '--functions', functions, '--http-port', '0', '--https-port', '0']
  const traced = ['-f', '-yy', '-s', '64', '-e', calls, '-o', trace, process.execPath, script, 'serve', ...flags]
  const server = spawn('strace', traced, { stdio: ['ignore', 'pipe', 'ignore'] })
  t.after(async () => {
    await processors.close()
    await rm(folder, { recursive: true })
  })
  await once(server.stdout, 'data')
  const { http, pid } = JSON.parse(await readFile(join(folder, 'data', 'endpoint.json'), 'utf8'))
  const keys = await readFile(join(folder, 'data', 'aws', 'credentials'), 'utf8')
  const key = (name: string) => new RegExp(`${name}=(.*)`).exec(keys)?.[1] ?? ''
  const credentials = { accessKeyId: key('aws_access_key_id'), secretAccessKey: key('aws_secret_access_key') }
  const options = { endpoint: http, region: 'us-east-1', credentials, maxAttempts: 1 }
  await talk(new ChimeSDKIdentity(options), new ChimeSDKMessaging(options), processors)
  release()
  process.kill(pid, 'SIGTERM')
  await once(server, 'exit')

  const seen = events(await readFile(trace, 'utf8'))
  const answers = seen.filter((event) => event !== 'sync')
  assert.deepEqual(Object.groupBy(answers, (answer) => answer)['201 Created']?.length, 4 + heldMessages)
  assert.deepEqual(Object.groupBy(answers, (answer) => answer)['200 OK']?.length, 1 + heldMessages)
  for (const [index, event] of seen.entries()) {
    if (event !== 'sync') assert.equal(seen[index - 1], 'sync', `${event} went out without a sync before it`)
  }
})

/** As many as a function holds at a time: it is kept at work, so that no other write is between a callback and its sync. */
const heldMessages = 4

/** One call after the other, and each of them a commit. */
async function talk(identity: ChimeSDKIdentity, messaging: ChimeSDKMessaging, processors: Processors): Promise<void> {
  const token = () => ({ ClientRequestToken: randomUUID() })
  const { AppInstanceArn } = await identity.createAppInstance({ Name: 'sync', ...token() })
  const user = { AppInstanceArn, AppInstanceUserId: 'ann', Name: 'Ann', ...token() }
  const { AppInstanceUserArn: ChimeBearer } = await identity.createAppInstanceUser(user)
  const { ChannelArn } = await messaging.createChannel({ AppInstanceArn, Name: 'talk', ChimeBearer, ...token() })
  const flow = { AppInstanceArn, Name: 'hold', Processors: [processor('first', 1)], ...token() }
  const { ChannelFlowArn } = await messaging.createChannelFlow(flow)
  await messaging.associateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer })
  for (let n = 0; n < heldMessages; n++) {
    const message = { Content: `${n}`, Type: 'STANDARD', Persistence: 'PERSISTENT' } as const
    const { MessageId } = await messaging.sendChannelMessage({ ChannelArn, ChimeBearer, ...message, ...token() })
    const { CallbackId } = await processors.next(MessageId)
    await messaging.channelFlowCallback({ ChannelArn, CallbackId, ChannelMessage: { MessageId } })
  }
}
