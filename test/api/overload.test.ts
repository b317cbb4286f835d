import assert from 'node:assert/strict'
import { cp, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { ChimeSDKMessaging, ServiceUnavailableException } from '@aws-sdk/client-chime-sdk-messaging'
import type { AcceptMessage } from '../../src/store/changes.ts'
import { aroundStore } from '../support/around-store.ts'
import { type Population, populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'
import { until } from '../support/until.ts'

/** New messages that are kept from the store until the test lets them pass; undefined while none are. */
let kept: { channelArn: string; pass(): void }[] | undefined

async function keep({ message }: AcceptMessage): Promise<void> {
  const passed = Promise.withResolvers<void>()
  if (!kept) return
  kept.push({ channelArn: message.channel_arn, pass: () => passed.resolve() })
  await passed.promise
}

const server = await startTestServer({
  flags: ['--admin-port', '0', '--waiting-max', '4'],
  aroundStore: (store) =>
    aroundStore(store, {
      commit: async (change) => {
        if (change.kind === 'AcceptMessage') await keep(change)
        return store.commit(change)
      },
    }),
})

async function metric(name: string): Promise<number> {
  const text = await (await fetch(`${server.endpoint.admin}/metrics`)).text()
  const line = text.split('\n').find((one) => one.startsWith(`${name} `))
  return Number(line?.slice(name.length + 1) ?? 0)
}

const rejectedBy = (reason: string) => metric(`carillon_sends_rejected_total{reason="${reason}"}`)

/** A client with so many tries, of which it may make many at once. */
function clientWith(maxAttempts: number): ChimeSDKMessaging {
  const { endpoint, credentials } = server
  const requestHandler = { httpAgent: { maxSockets: 100 } }
  return new ChimeSDKMessaging({
    endpoint: endpoint.http,
    region: 'us-east-1',
    credentials,
    maxAttempts,
    requestHandler,
  })
}

/** The MessageIds in the channel. */
async function messagesOf(people: Population, ChannelArn: string | undefined): Promise<string[]> {
  const input = { ChannelArn, ChimeBearer: people.member, MaxResults: 50 }
  const { ChannelMessages = [] } = await server.messaging.listChannelMessages(input)
  return ChannelMessages.map(({ MessageId }) => MessageId as string).sort()
}

test('beside waiting sends, a callback has priority, and another function is served; nothing is lost', async () => {
  const [busy, calm] = [await populate(server), await populate(server)]
  await calm.attachFlow(['first'])
  const event = await calm.sendHeld()
  const client = clientWith(1)
  kept = []
  let answered = 0
  const sends = Array.from({ length: 40 }, async () => {
    const { MessageId } = await client.sendChannelMessage(busy.message())
    answered += 1
    return MessageId
  })
  await until(async () => (await metric('carillon_sends_queued')) === 8)
  await calm.allow(event)
  assert.equal(await calm.status(event.ChannelMessage.MessageId), 'SENT')
  const another = client.sendChannelMessage(calm.message())
  await until(async () => (await metric('carillon_sends_queued')) === 9)
  assert.deepEqual([answered, kept.length], [0, 32])
  for (let turn = 1; turn <= 2; turn += 1) {
    kept[turn]?.pass()
    await until(() => kept?.length === 32 + turn)
  }
  const turns = kept.slice(32).map(({ channelArn }) => channelArn)
  assert.deepEqual(turns.sort(), [busy.channelArn, calm.channelArn].sort())
  const keptSoFar = kept
  kept = undefined
  for (const { pass } of keptSoFar) pass()
  const ids = await Promise.all(sends)
  assert.equal((await another).Status?.Value, 'PENDING')
  assert.deepEqual(await messagesOf(busy, busy.channelArn), ids.toSorted())
  client.destroy()
})

test('with too many messages waiting for a function, SDKs get a 503 and send again; nothing of it was accepted', {
  timeout: 60_000,
}, async (t) => {
  const folder = join(server.functions, 'slow')
  await mkdir(folder)
  await cp(join(server.functions, 'first.mjs'), join(folder, 'index.mjs'))
  await writeFile(join(folder, 'function.json'), JSON.stringify({ concurrency: 1 }))
  const people = await populate(server)
  const flow = await people.attachFlow(['slow'])
  const [one = '', other, third] = [people.channelArn, await people.createChannel(), await people.createChannel()]
  for (const ChannelArn of [other, third]) {
    await server.messaging.associateChannelFlow({ ChannelArn, ChannelFlowArn: flow, ChimeBearer: people.owner })
  }
  const release = server.processors.hold()
  t.after(release)
  const inFlight = await people.sendHeld()
  const accepted = [inFlight.ChannelMessage.MessageId]
  for (const ChannelArn of [one, one]) accepted.push((await people.send({ ChannelArn })).MessageId as string)
  await assert.rejects(people.send({ ChannelArn: one }), (error: unknown) => {
    assert.ok(error instanceof ServiceUnavailableException)
    assert.equal(error.$metadata.httpStatusCode, 503)
    return true
  })
  assert.equal(await rejectedBy('channel'), 1)
  const others = await Promise.all([other, other].map((ChannelArn) => people.send({ ChannelArn })))
  const body = { Content: 'hello', Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: 'one' }
  const target = `/channels/${encodeURIComponent(third)}/messages`
  const { status, type, retryAfter } = await server.call('POST', target, { bearer: people.member, body })
  assert.deepEqual([status, type, retryAfter], [503, 'ServiceUnavailableException', '1'])
  assert.equal(await rejectedBy('processor'), 1)
  assert.deepEqual(await messagesOf(people, third), [])

  const patient = clientWith(20)
  const sent = patient.sendChannelMessage(people.message({ ChannelArn: third }))
  await until(async () => (await rejectedBy('processor')) === 2)
  release()
  const { MessageId, $metadata } = await sent
  assert.ok($metadata.attempts && $metadata.attempts > 1)
  patient.destroy()
  assert.deepEqual(await messagesOf(people, one), accepted.sort())
  assert.deepEqual(await messagesOf(people, other), others.map(({ MessageId }) => MessageId).sort())
  assert.deepEqual(await messagesOf(people, third), [MessageId])
  // So that the function has nothing left to do.
  const left = [...accepted, ...others.map((message) => message.MessageId), MessageId]
  for (const id of left) if (id !== inFlight.ChannelMessage.MessageId) await server.processors.next(id)
})

test('an update is held back where a flow would hold it, and no other one', async (t) => {
  const people = await populate(server)
  const { MessageId } = await people.send()
  await people.attachFlow(['slow'])
  const release = server.processors.hold()
  t.after(release)
  await people.sendHeld()
  const plain = await populate(server)
  const { MessageId: plainId } = await plain.send()
  for (let waiting = 0; waiting < 2; waiting += 1) await people.send()
  const before = await rejectedBy('channel')
  await assert.rejects(people.update(MessageId), ServiceUnavailableException)
  assert.equal(await rejectedBy('channel'), before + 1)
  assert.equal((await people.read(MessageId)).Content, 'hello')
  await plain.update(plainId)
  assert.equal((await plain.read(plainId)).Content, 'edited')
})
