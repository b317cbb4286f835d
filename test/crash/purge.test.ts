import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { until } from '../support/until.ts'
import { CrashingServer } from './crashing-server.ts'

/** More than two pieces. */
const messages = 620

test('a purge goes on after the server was killed in the middle of it', { timeout: 120_000 }, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-purge-'))
  const data = join(folder, 'data')
  const server = await CrashingServer.open(['--data-dir', data, '--functions', join(folder, 'functions')])
  t.after(async () => {
    await server.end()
    await rm(folder, { recursive: true, maxRetries: 10 })
  })
  await server.start('purge:1')
  const { endpoint, credentials } = server
  const options = { endpoint: endpoint.http, region: endpoint.region, credentials, maxAttempts: 1 }
  const [identity, messaging] = [new ChimeSDKIdentity(options), new ChimeSDKMessaging(options)]
  const { AppInstanceArn } = await identity.createAppInstance({ Name: 'purge' })
  const ann = { AppInstanceArn, AppInstanceUserId: 'ann', Name: 'ann' }
  const { AppInstanceUserArn: ChimeBearer } = await identity.createAppInstanceUser(ann)
  const channel = { AppInstanceArn, ChimeBearer, Name: 'lounge', ChannelId: 'lounge' }
  const { ChannelArn } = await messaging.createChannel(channel)
  const message = { ChannelArn, ChimeBearer, Content: 'hello', Type: 'STANDARD', Persistence: 'PERSISTENT' } as const
  for (let sent = 0; sent < messages; sent += 20) {
    await Promise.all(Array.from({ length: 20 }, () => messaging.sendChannelMessage(message)))
  }
  // Its response may be lost with the server.
  await messaging.deleteChannel({ ChannelArn, ChimeBearer }).catch(() => {})
  await server.died
  const left = countMessages(data)
  assert.ok(left > 0 && left < messages, `${left} messages are left`)

  await server.start()
  await messaging.createChannel(channel)
  await messaging.sendChannelMessage(message)
  await until(() => countMessages(data) === 1)
  const { ChannelMessages } = await messaging.listChannelMessages({ ChannelArn, ChimeBearer })
  assert.equal(ChannelMessages?.length, 1)
})

function countMessages(data: string): number {
  const database = new DatabaseSync(join(data, 'carillon.sqlite'), { readOnly: true })
  try {
    return Number(database.prepare('SELECT count(*) AS count FROM channel_message').get()?.count)
  } finally {
    database.close()
  }
}
