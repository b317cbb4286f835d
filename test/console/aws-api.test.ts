import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { suite, test } from 'node:test'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { SessionClient } from '../session/session-client.ts'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'
import { presign } from '../support/smithy-signer.ts'

const server = await startTestServer({ flags: ['--admin-port', '0'] })
const people = await populate(server)
const { admin = assert.fail('there is no admin port') } = server.endpoint
const { host, port } = new URL(admin)
const region = 'us-east-1'
const { credentials } = server

const sdkAt = (endpoint: string) => new ChimeSDKMessaging({ endpoint, region, credentials, maxAttempts: 1 })

suite("AWS's operations on the admin port", () => {
  test('are those of the other ports, for signed calls', async (t) => {
    const sdk = sdkAt(admin)
    t.after(() => sdk.destroy())
    const { Channel } = await sdk.describeChannel({ ChannelArn: people.channelArn, ChimeBearer: people.owner })
    assert.equal(Channel?.ChannelArn, people.channelArn)
    const { Processors } = (await server.call('GET', '/carillon/v1/processors')).body
    assert.ok(Array.isArray(Processors))
  })

  test('name the address by which the caller reaches it, for its sessions', async (t) => {
    for (const name of ['127.0.0.1', 'localhost']) {
      const sdk = sdkAt(`http://${name}:${port}`)
      t.after(() => sdk.destroy())
      assert.equal((await sdk.getMessagingSessionEndpoint({})).Endpoint?.Url, `${name}:${port}`)
    }
    const { Endpoint } = await server.messaging.getMessagingSessionEndpoint({})
    assert.notEqual(Endpoint?.Url, host, 'the other ports are not changed')
  })

  test('open messaging sessions without TLS, which receive what is sent elsewhere', async () => {
    const target = `/connect?userArn=${encodeURIComponent(people.member)}&sessionId=${randomUUID()}`
    const call = { method: 'GET', target, headers: { host } }
    const signing = { credentials, region, signingDate: new Date(), expiresInSeconds: 10 }
    const pairs = await presign(call, signing)
    const session = new SessionClient(`ws://${host}/connect?${new URLSearchParams(pairs.map((pair) => [...pair]))}`)
    assert.equal((await session.next()).eventType, 'SESSION_ESTABLISHED')
    await people.send({ Content: 'Hello' })
    assert.equal((await session.next()).eventType, 'CREATE_CHANNEL_MESSAGE')
    session.webSocket.close()
    const unsigned = new SessionClient(`ws://${host}${target}`)
    assert.equal((await unsigned.closed).code, 4401)
  })
})
