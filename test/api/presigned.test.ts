import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'
import { presign } from '../support/smithy-signer.ts'

const server = await startTestServer()
const people = await populate(server)
const { origin, host } = new URL(server.endpoint.http)
const channel = `/channels/${encodeURIComponent(people.channelArn)}`

interface Presigned {
  bearer?: string
  body?: object
  /** Where the bearer is: presigners move it into the query unless they are told to leave it. */
  bearerIn?: 'header' | 'query'
}

async function call(method: string, target: string, { bearer, body, bearerIn = 'header' }: Presigned) {
  const text = body && JSON.stringify(body)
  const bearing = bearer === undefined ? {} : { 'x-amz-chime-bearer': bearer }
  const unsigned = { method, target, headers: { host, ...bearing }, ...(text !== undefined && { body: text }) }
  const pairs = await presign(unsigned, {
    credentials: server.credentials,
    signingDate: new Date(),
    expiresInSeconds: 60,
    ...(bearerIn === 'header' && { unhoistableHeaders: new Set(['x-amz-chime-bearer']) }),
  })
  const query = pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')
  const response = await fetch(`${origin}${target.split('?')[0]}?${query}`, {
    method,
    headers: bearerIn === 'header' ? bearing : {},
    ...(text !== undefined && { body: text }),
  })
  // biome-ignore lint/suspicious/noExplicitAny: any JSON that an operation responds with
  return { status: response.status, body: (await response.json()) as any }
}

suite('a call whose signature is in its address', () => {
  for (const bearerIn of ['header', 'query'] as const) {
    test(`reads as the user whose ARN is in the ${bearerIn}`, async () => {
      const { status, body } = await call('GET', channel, { bearer: people.member, bearerIn })
      assert.deepEqual([status, body.Channel?.ChannelArn], [200, people.channelArn])
      const rejected = await call('GET', channel, { bearer: people.stranger, bearerIn })
      assert.equal(rejected.status, 403)
    })

    test(`writes as the user whose ARN is in the ${bearerIn}`, async () => {
      const message = { Content: 'hello', Type: 'STANDARD', Persistence: 'PERSISTENT' }
      const sent = await call('POST', `${channel}/messages`, { bearer: people.member, bearerIn, body: message })
      assert.equal(sent.status, 201)
      const target = `${channel}/messages/${sent.body.MessageId}?operation=redact`
      const redacted = await call('POST', target, { bearer: people.member, bearerIn })
      assert.deepEqual([redacted.status, redacted.body.MessageId], [200, sent.body.MessageId])
    })
  }

  test('needs a bearer where another call does', async () => {
    const { status, body } = await call('GET', channel, {})
    assert.equal(status, 400)
    assert.match(body.Message, /chimeBearer/)
  })
})
