import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { after, before, beforeEach, suite, test } from 'node:test'
import { sample } from './sample.ts'

const ChannelArn = 'arn:aws:chime:us-east-1:111122223333:app-instance/a/channel/c'
const context = { functionName: 'sign' }

/** An event as a channel flow gives it to a processor ("Processor setup" in AWS's developer guide). */
const eventWith = (Content: string) => ({
  EventType: 'CHANNEL_MESSAGE_EVENT',
  CallbackId: '5a0c1f2e-8d6b-4a3f-9e7d-0b1c2d3e4f50',
  ChannelMessage: {
    MessageId: 'm1',
    ChannelArn,
    Content,
    Metadata: '{"colour":"blue"}',
    Sender: { Arn: 'arn:aws:chime:us-east-1:111122223333:app-instance/a/user/ann', Name: 'Ann' },
    Persistence: 'PERSISTENT',
    Type: 'STANDARD',
    CreatedTimestamp: '2026-01-02T03:04:05.678Z',
  },
})
const { CallbackId } = eventWith('')

/** Stands where AWS would: keeps each request and answers as it is told. */
const requests: { url: string | undefined; body: unknown }[] = []
let refusal: { status: number; name: string } | undefined
const server = createServer(async (request: IncomingMessage, response: ServerResponse) => {
  requests.push({ url: request.url, body: await json(request) })
  response.setHeader('Content-Type', 'application/json')
  if (refusal) response.setHeader('x-amzn-ErrorType', refusal.name).writeHead(refusal.status)
  response.end(JSON.stringify(refusal ? { Message: 'no' } : { ChannelArn, CallbackId }))
})

before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_CHIME_SDK_MESSAGING: `http://127.0.0.1:${port}`,
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
    AWS_SECRET_ACCESS_KEY: 'secret',
  })
})
after(() => {
  server.close()
  server.closeAllConnections()
})
beforeEach(() => {
  requests.length = 0
  refusal = undefined
})

const allowed = (Content: string) => ({ MessageId: 'm1', Content, Metadata: '{"colour":"blue"}' })
const verdicts = [
  {
    file: 'redact-personal-data.mjs',
    text: 'I am ann@example.com',
    verdict: { CallbackId, ChannelMessage: allowed('I am [mail]') },
  },
  { file: 'deny-words/index.mjs', text: 'Hello', verdict: { CallbackId, ChannelMessage: allowed('Hello') } },
  {
    file: 'deny-words/index.mjs',
    text: 'Oh heck',
    verdict: { CallbackId, DeleteResource: true, ChannelMessage: { MessageId: 'm1' } },
  },
  { file: 'presence/index.mjs', text: 'Hello', verdict: { CallbackId, ChannelMessage: allowed('Hello') } },
  { file: 'sign.mjs', text: 'Hello', verdict: { CallbackId, ChannelMessage: allowed('Hello · sign') } },
]

for (const { file, text, verdict } of verdicts) {
  test(`${file} gives its verdict on "${text}" by one ChannelFlowCallback`, async () => {
    const { handler } = await sample(file)
    await handler(eventWith(text), context)
    const url = `/channels/${encodeURIComponent(ChannelArn)}?operation=channel-flow-callback`
    assert.deepEqual(requests, [{ url, body: verdict }])
  })
}

for (const file of ['redact-personal-data.mjs', 'deny-words/index.mjs', 'presence/index.mjs', 'sign.mjs']) {
  suite(`${file}, when its callback is refused`, () => {
    const late = { BadRequestException: 400, ForbiddenException: 403, ConflictException: 409 }
    for (const [name, status] of Object.entries(late)) {
      test(`takes a ${name} for the answer to a second verdict, and says so in the log`, async (t) => {
        const { handler } = await sample(file)
        const warn = t.mock.method(console, 'warn', () => {})
        refusal = { status, name }
        await handler(eventWith('Hello'), context)
        assert.deepEqual(
          warn.mock.calls.map((call) => call.arguments),
          [[`no verdict taken on message m1: ${name}: no`]],
        )
      })
    }

    test('fails by any other error, so that Lambda tries again', async () => {
      const { handler } = await sample(file)
      refusal = { status: 401, name: 'UnauthorizedClientException' }
      await assert.rejects(handler(eventWith('Hello'), context), { name: 'UnauthorizedClientException' })
    })
  })
}
