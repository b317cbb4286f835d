import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { describe, type TestContext, test } from 'node:test'
import { startFunctions } from './functions.ts'

const completed = { result: 'completed', handedOver: 1 }
const name = '@aws-sdk/client-chime-sdk-messaging'

/** What AWS's sample processors do: allow the message as it is. */
const allow = `async (event) => {
  const { CallbackId, ChannelMessage: { ChannelArn, MessageId, Content } } = event
  const ChannelMessage = { MessageId, Content }
  await new ChimeSDKMessagingClient({}).send(new ChannelFlowCallbackCommand({ CallbackId, ChannelArn, ChannelMessage }))
}`

/** Stands where the server would be, and keeps what functions ask of it. */
async function openEndpoint(t: TestContext) {
  const requests: { url: string | undefined; authorization: string | undefined; body: unknown }[] = []
  const server = createServer(async (request, response) => {
    requests.push({ url: request.url, authorization: request.headers.authorization, body: await json(request) })
    response.end('{}')
  })
  t.after(() => server.close())
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return { requests, messagingEndpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

describe('the SDK for messaging is there for a handler that does not bring it, and finds the server', () => {
  const imported = `import { ChimeSDKMessagingClient, ChannelFlowCallbackCommand } from '${name}'`
  const required = `const { ChimeSDKMessagingClient, ChannelFlowCallbackCommand } = require('${name}')`
  const kinds = {
    'as an ES module': { 'redact.mjs': `${imported}; export const handler = ${allow}` },
    'as CommonJS': { 'redact.cjs': `${required}; exports.handler = ${allow}` },
  }
  for (const [kind, files] of Object.entries(kinds)) {
    test(kind, async (t) => {
      const { requests, messagingEndpoint } = await openEndpoint(t)
      const { invoke, log } = await startFunctions(t, files, { messagingEndpoint })
      assert.deepEqual(await invoke('redact', 'm-1'), completed)
      const [{ url, authorization, body }, ...others] = requests as [(typeof requests)[0]]
      assert.deepEqual(others, [])
      const channelArn = encodeURIComponent('arn:aws:chime:us-east-1:111122223333:app-instance/a/channel/c')
      assert.equal(url, `/channels/${channelArn}?operation=channel-flow-callback`)
      assert.match(authorization ?? '', /Credential=AKIDFUNCTION\/\d{8}\/eu-central-1\/chime\/aws4_request/)
      assert.deepEqual((body as { ChannelMessage: object }).ChannelMessage, { MessageId: 'm-1', Content: 'hello' })
      assert.deepEqual(log.texts('warn'), [])
    })
  }

  test('once, however it is asked for', async (t) => {
    const { invoke, log } = await startFunctions(t, {
      'redact.mjs': `import { createRequire } from 'node:module'
      import { ChimeSDKMessagingClient } from '${name}'
      const required = createRequire(import.meta.url)('${name}')
      const { ChimeSDKMessagingClient: later } = await import('${name}')
      export const handler = () => console.log([required.ChimeSDKMessagingClient, later].every((it) => it === ChimeSDKMessagingClient))`,
    })
    assert.deepEqual(await invoke('redact'), completed)
    assert.deepEqual(log.texts('info'), ['true'])
  })
})

test('a copy of the SDK that the functions bring is the one they get', async (t) => {
  const { invoke, log } = await startFunctions(t, {
    [`node_modules/${name}/package.json`]: '{ "main": "index.js" }',
    [`node_modules/${name}/index.js`]: "exports.origin = 'their own'",
    'module.mjs': `import sdk from '${name}'; export const handler = () => console.log(sdk.origin)`,
    'common.cjs': `const sdk = require('${name}'); exports.handler = () => console.log(sdk.origin)`,
  })
  assert.deepEqual(await invoke('module'), completed)
  assert.deepEqual(await invoke('common'), completed)
  assert.deepEqual(log.texts('info'), ['their own', 'their own'])
})

test('a package that nobody brings is missed where it is imported', async (t) => {
  const { invoke } = await startFunctions(t, {
    'aws.mjs': "import '@aws-sdk/client-of-nothing'",
    'carillons.cjs': "require('fastest-levenshtein')",
  })
  for (const [functionName, missed] of [
    ['aws', '@aws-sdk/client-of-nothing'],
    ['carillons', 'fastest-levenshtein'],
  ] as const) {
    const outcome = await invoke(functionName)
    assert.ok(outcome.result === 'crashed')
    assert.match(outcome.reason, new RegExp(`Cannot find (package|module) '${missed}'.*${functionName}`, 's'))
  }
})

test('a copy of SDK v2 that the functions bring is pointed at the server', async (t) => {
  const { invoke, log } = await startFunctions(t, {
    'node_modules/aws-sdk/package.json': '{ "main": "index.js" }',
    'node_modules/aws-sdk/index.js': 'exports.config = {}',
    'redact.cjs': `const { config } = require('aws-sdk')
    exports.handler = async () => console.log(JSON.stringify(config))`,
  })
  assert.deepEqual(await invoke('redact'), completed)
  assert.deepEqual(JSON.parse(log.texts('info')[0] ?? ''), {
    chimesdkmessaging: { endpoint: 'http://127.0.0.1:4001' },
    chimesdkidentity: { endpoint: 'http://127.0.0.1:4002' },
  })
})
