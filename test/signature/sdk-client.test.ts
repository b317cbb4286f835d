import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { after, before, beforeEach, suite, test } from 'node:test'
import {
  ChimeSDKMessagingClient,
  DescribeChannelCommand,
  ListChannelMessagesCommand,
  RedactChannelMessageCommand,
  SendChannelMessageCommand,
  UpdateChannelReadMarkerCommand,
} from '@aws-sdk/client-chime-sdk-messaging'
import { rootGrant } from '../../src/keys/grant.ts'
import { type SignedRequest, verifyRequest } from '../../src/signature/verify-request.ts'

const region = 'us-east-1'
const credentials = {
  accessKeyId: 'AKIDEXAMPLE',
  secretAccessKey: 'an example, not a secret',
  grant: rootGrant,
  sessionToken: 'a+b/c=',
}
const ChannelArn = 'arn:aws:chime:us-east-1:111122223333:app-instance/A/channel/ünï:c@d 1'
const ChimeBearer = 'arn:aws:chime:us-east-1:111122223333:app-instance/A/user/ann'

suite("the requests of AWS's own JavaScript client are accepted", () => {
  const received: SignedRequest[] = []
  const server = createServer(async (request, response) => {
    const body = await buffer(request)
    received.push({ method: request.method!, target: request.url!, headers: request.headers, body })
    response.setHeader('content-type', 'application/json').end('{}')
  })
  let client: ChimeSDKMessagingClient

  before(async () => {
    await once(server.listen(0, '127.0.0.1'), 'listening')
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    client = new ChimeSDKMessagingClient({ endpoint, region, credentials })
  })
  beforeEach(() => received.splice(0))
  after(async () => {
    client.destroy()
    server.close()
    await once(server, 'close')
  })

  async function assertAccepted(method: string) {
    assert.deepEqual(
      received.map((request) => request.method),
      [method],
    )
    const verified = await verifyRequest(received[0]!, () => credentials, { region, service: 'chime' }, Date.now())
    assert.deepEqual(verified, { ok: true, credentials })
  }

  test('a path with an ARN full of reserved and other characters', async () => {
    await client.send(new DescribeChannelCommand({ ChannelArn, ChimeBearer }))
    await assertAccepted('GET')
  })

  test('a path with dot segments, which are sent but not signed', async () => {
    await client.send(new RedactChannelMessageCommand({ ChannelArn, MessageId: '..', ChimeBearer }))
    assert.match(received[0]!.target, /\/messages\/\.\.\?/)
    await assertAccepted('POST')
  })

  test('a body with an emoji', async () => {
    const Content = 'good morning 😀'
    await client.send(
      new SendChannelMessageCommand({ ChannelArn, ChimeBearer, Content, Type: 'STANDARD', Persistence: 'PERSISTENT' }),
    )
    await assertAccepted('POST')
  })

  test('a query of several parameters', async () => {
    const range = { NotBefore: new Date(1e12), NotAfter: new Date(1.5e12) }
    const page = { MaxResults: 5, NextToken: "a+b/c=*~ '(d)!" }
    await client.send(new ListChannelMessagesCommand({ ChannelArn, ChimeBearer, ...range, ...page }))
    await assertAccepted('GET')
  })

  test('a PUT without a body', async () => {
    await client.send(new UpdateChannelReadMarkerCommand({ ChannelArn, ChimeBearer }))
    await assertAccepted('PUT')
  })
})
