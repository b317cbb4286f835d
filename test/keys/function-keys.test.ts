import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { RecordingLog, writeFiles } from '../processor/functions.ts'
import { type Population, populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'
import { SteeredStore } from '../support/steered-store.ts'
import { TestKeys } from '../support/test-keys.ts'

/*
 * What functions do with the key in their environment: each describes the channel as a user, writes down how that went as
 * the message's metadata, and allows the message.
 */

const handler = (userId: string) => `
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
const messaging = new ChimeSDKMessaging({ maxAttempts: 1 })

export async function handler({ CallbackId, ChannelMessage: { ChannelArn, MessageId, Content } }) {
  const ChimeBearer = ChannelArn.replace(/[/]channel[/].*/, '/user/${userId}')
  const outcome = messaging.describeChannel({ ChannelArn, ChimeBearer }).then(() => 'described', ({ name }) => name)
  const ChannelMessage = { MessageId, Content, Metadata: await outcome }
  await messaging.channelFlowCallback({ ChannelArn, CallbackId, ChannelMessage })
}
`

const log = new RecordingLog()
const store = new SteeredStore()
const server = await startTestServer({ log, aroundStore: store.around })
await writeFiles(server.functions, {
  'trusted/index.mjs': handler('moderator'),
  'trusted/function.json': JSON.stringify({ actAs: ['moderator'] }),
  'curious/index.mjs': handler('moderator'),
  'curious/function.json': JSON.stringify({ actAs: ['owner', 'member'] }),
})
await server.restart()

/** How the function's call went, after its verdict was accepted. */
async function outcomeBy(functionName: string, people: Population): Promise<string | undefined> {
  await people.attachFlow([functionName])
  const session = await server.session(people.owner)
  const { MessageId } = await people.send()
  assert.deepEqual(await session.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
  session.webSocket.close()
  return (await people.read(MessageId)).Metadata
}

suite('a function', () => {
  test('acts as the users that its function.json names', async () => {
    assert.equal(await outcomeBy('trusted', await populate(server)), 'described')
  })

  test('acts as no other user, and the log says which line would permit it', async () => {
    assert.equal(await outcomeBy('curious', await populate(server)), 'AccessDeniedException')
    const line =
      'to permit it, put this line into the function.json of the function: "actAs": ["owner", "member", "moderator"]'
    await log.waitFor(line)
  })

  test('acts as a user only in an AppInstance where a flow names it', async () => {
    const people = await populate(server)
    const credentials = await new TestKeys(server, store).ofFunction('trusted')
    const target = `/channels/${encodeURIComponent(people.channelArn)}`
    const describe = async () => (await server.call('GET', target, { bearer: people.moderator, credentials })).status
    assert.equal(await describe(), 403)
    await log.waitFor(`create a channel flow in ${people.appInstanceArn} that names the function`)
    await people.createFlow(['trusted'])
    assert.equal(await describe(), 200)
  })

  test('calls nothing without a bearer but its callback', async () => {
    const credentials = await new TestKeys(server, store).ofFunction('trusted')
    const { status, type } = await server.call('GET', '/app-instances', { credentials })
    assert.deepEqual([status, type], [403, 'AccessDeniedException'])
    await log.waitFor('functions may only call ChannelFlowCallback')
  })
})
