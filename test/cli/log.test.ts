import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, before, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import type { ProcessorEvent } from '../../src/processor/processor-event.ts'
import { processor } from '../support/population.ts'
import { Processors } from '../support/processors.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const region = 'us-east-1'
const credentials = {
  accessKeyId: 'AKIACARILLON0000TEST',
  secretAccessKey: 'a-secret-that-nobody-may-read-anywhere',
}

/** Texts that must be in no log at the default level. */
const secrets = {
  key: credentials.secretAccessKey,
  wrongKey: 'another-secret-by-which-somebody-signs',
  content: 'CONTENT-of-the-sender',
  metadata: 'METADATA-of-the-sender',
  changed: 'CONTENT-of-the-processor',
  push: 'PUSH-of-the-sender',
  attribute: 'ATTRIBUTE-of-the-sender',
}
const message = {
  Content: secrets.content,
  Metadata: secrets.metadata,
  PushNotification: { Title: secrets.push, Body: secrets.push, Type: 'DEFAULT' as const },
  MessageAttributes: { mark: { StringValues: [secrets.attribute] } },
  Type: 'STANDARD' as const,
  Persistence: 'PERSISTENT' as const,
}

interface Line {
  level: number
  msg: string
  requestId?: string
  operation?: string
  messageId?: string
  status?: number
  outcome?: string
  processor?: string
  changedBy?: string[]
}

let output = ''
let lines: Line[]
const events: ProcessorEvent[] = []
const told = { denied: '', failed: '' }

/** Makes a server log all its usual lines, by real calls to a separate process. */
before(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-log-'))
  const processors = await Processors.open(join(folder, 'functions'))
  const data = join(folder, 'data')
  const flags = ['--data-dir', data, '--functions', join(folder, 'functions'), '--http-port', '0', '--https-port', '0']
  const env = {
    CARILLON_ACCESS_KEY_ID: credentials.accessKeyId,
    CARILLON_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    CARILLON_LOG_FORMAT: 'json',
    CARILLON_ADMIN_PORT: '0',
  }
  const child = spawn(process.execPath, [main, 'serve', ...flags], { env, stdio: ['ignore', 'pipe', 'pipe'] })
  after(async () => {
    child.kill('SIGKILL')
    await processors.close()
    await rm(folder, { recursive: true })
  })
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text
    })
  }
  const ended = once(child, 'close')
  let errors = ''
  child.stderr.on('data', (text) => {
    errors += text
  })
  while (!output.includes('carillon ready')) await Promise.race([once(child.stdout, 'data'), ended])
  const endpoint = JSON.parse(await readFile(join(data, 'endpoint.json'), 'utf8')).http
  await live(endpoint, data, processors)
  child.kill('SIGTERM')
  await ended
  lines = errors
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
})

async function live(endpoint: string, data: string, processors: Processors): Promise<void> {
  const options = { endpoint, region, credentials, maxAttempts: 1 }
  const [identity, messaging] = [new ChimeSDKIdentity(options), new ChimeSDKMessaging(options)]
  const { AppInstanceArn } = await identity.createAppInstance({ Name: 'quiet' })
  const user = { AppInstanceArn, AppInstanceUserId: 'ann', Name: 'Ann' }
  const { AppInstanceUserArn: ChimeBearer } = await identity.createAppInstanceUser(user)
  const { ChannelArn } = await messaging.createChannel({ AppInstanceArn, Name: 'talk', ChimeBearer })
  const place = { ChannelArn, ChimeBearer }
  const send = () => messaging.sendChannelMessage({ ...place, ...message })

  await send()
  const flow = { AppInstanceArn, Name: 'flow', Processors: [processor('first')] }
  const { ChannelFlowArn } = await messaging.createChannelFlow(flow)
  await messaging.associateChannelFlow({ ...place, ChannelFlowArn })
  const hold = async () => {
    const { MessageId } = await send()
    const event = await processors.next(MessageId)
    events.push(event)
    return { ChannelArn, CallbackId: event.CallbackId, ChannelMessage: { MessageId: MessageId! } }
  }

  const allowed = await hold()
  const changed = { ...allowed.ChannelMessage, Content: secrets.changed, Metadata: secrets.metadata }
  await messaging.channelFlowCallback({ ...allowed, ChannelMessage: changed })
  await assert.rejects(messaging.channelFlowCallback(allowed), { name: 'BadRequestException' })
  const denied = await hold()
  await messaging.channelFlowCallback({ ...denied, DeleteResource: true })
  told.denied = denied.ChannelMessage.MessageId

  const forged = new ChimeSDKMessaging({
    ...options,
    credentials: { ...credentials, secretAccessKey: secrets.wrongKey },
  })
  await assert.rejects(forged.sendChannelMessage({ ...place, ...message }), { name: 'InvalidSignatureException' })
  await assert.rejects(forged.channelFlowCallback(await hold()), { name: 'InvalidSignatureException' })

  const failing = await hold()
  told.failed = failing.ChannelMessage.MessageId
  // The server may be writing just then: that the function has ended.
  const other = new DatabaseSync(join(data, 'carillon.sqlite'), { timeout: 5_000 })
  other.exec('BEGIN IMMEDIATE')
  await assert.rejects(messaging.channelFlowCallback(failing), { name: 'ServiceUnavailableException' })
  await assert.rejects(send(), { name: 'ServiceUnavailableException' })
  other.exec('ROLLBACK')
  other.close()
  for (const client of [identity, messaging, forged]) client.destroy()
}

suite('what carillon serve prints at the default level', () => {
  test('has no text of a message, no CallbackId and no secret', () => {
    assert.equal(events.length, 4)
    for (const [what, text] of Object.entries(secrets)) assert.ok(!output.includes(text), `the ${what} is in the log`)
    for (const { CallbackId } of events) assert.ok(!output.includes(CallbackId), 'a CallbackId is in the log')
  })

  test('is a line of JSON for each happening, which says of which call and message it is', () => {
    const named = (msg: string) => lines.filter((line) => line.msg === msg)
    const runs = named('channel flow run ended')
    assert.deepEqual(
      runs.map(({ level, outcome, processor, changedBy }) => [level, outcome, processor, changedBy]),
      [
        [30, 'SENT', 'first', ['first']],
        [30, 'DENIED', 'first', []],
      ],
    )
    assert.equal(runs[1]?.messageId, told.denied)
    assert.deepEqual(
      named('request rejected: signature').map(({ operation, status }) => [operation, status]),
      [
        ['SendChannelMessage', 403],
        ['ChannelFlowCallback', 403],
      ],
    )
    const failures = named('request rejected: service unavailable')
    assert.deepEqual(
      failures.map(({ level, operation, status }) => [level, operation, status]),
      [
        [40, 'ChannelFlowCallback', 503],
        [40, 'SendChannelMessage', 503],
      ],
    )
    assert.equal(failures[0]?.messageId, told.failed)
    for (const { requestId } of failures) assert.match(requestId ?? '', /^[\da-f-]{36}$/)
  })

  test('says nothing of calls that went well', () => {
    assert.ok(!output.includes('request completed') && !output.includes('message allowed'))
  })
})
