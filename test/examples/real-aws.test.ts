import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, beforeEach, suite, test } from 'node:test'
import { RecordingLog, writeFiles } from '../processor/functions.ts'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'

/*
 * The way of docs/processors.md to call another AWS service and to send the callback from one handler. Lambda's API stands for any other service; a server of the test keeps who called it.
 */
const callers: { accessKeyId: string | undefined; sessionToken: string | undefined }[] = []
const otherService = createServer((request, response) => {
  const [, accessKeyId] = /Credential=([^/]+)/.exec(request.headers.authorization ?? '') ?? []
  callers.push({ accessKeyId, sessionToken: request.headers['x-amz-security-token']?.toString() })
  response.setHeader('Content-Type', 'application/json').end('{}')
})
await once(otherService.listen(0, '127.0.0.1'), 'listening')
after(() => {
  otherService.close()
  otherService.closeAllConnections()
})
beforeEach(() => callers.splice(0))

const handler = (otherClient: string) => `
import { ChannelFlowCallbackCommand, ChimeSDKMessagingClient } from '@aws-sdk/client-chime-sdk-messaging'
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda'

const chime = new ChimeSDKMessagingClient({})
const other = new LambdaClient(${otherClient})

export async function handler({ CallbackId, ChannelMessage: { ChannelArn, MessageId } }) {
  await other.send(new GetAccountSettingsCommand({}))
  await chime.send(new ChannelFlowCallbackCommand({ ChannelArn, CallbackId, ChannelMessage: { MessageId } }))
}
`

const folder = await mkdtemp(join(tmpdir(), 'carillon-real-aws-'))
after(() => rm(folder, { recursive: true, force: true }))
const otherPort = (otherService.address() as AddressInfo).port

/** Two files of a function. */
function functionFiles(name: string, otherClient: string, environment: Record<string, string>) {
  const settings = { environment: { AWS_ENDPOINT_URL_LAMBDA: `http://127.0.0.1:${otherPort}`, ...environment } }
  return { [`${name}/index.mjs`]: handler(otherClient), [`${name}/function.json`]: JSON.stringify(settings) }
}
const profileFile = join(folder, 'credentials')
await writeFiles(folder, {
  credentials: `[moderation]
aws_access_key_id=ASIAPROFILEPROFILE12
aws_secret_access_key=profile/secret
aws_session_token=profile-token
`,
  ...functionFiles('unmodified', '{}', {}),
  ...functionFiles('profile', "{ profile: 'moderation' }", { AWS_SHARED_CREDENTIALS_FILE: profileFile }),
  ...functionFiles('replaced', '{}', { AWS_ACCESS_KEY_ID: 'AKIAOTHEROTHEROTHER1', AWS_SECRET_ACCESS_KEY: 'other' }),
  ...functionFiles('temporary', '{}', { AWS_SESSION_TOKEN: 'temporary-token' }),
})
const log = new RecordingLog()
const server = await startTestServer({ log, flags: ['--functions', folder] })

async function sendThrough(functionName: string) {
  const people = await populate(server)
  await people.attachFlow([functionName])
  const session = await server.session(people.owner)
  const { MessageId } = await people.send()
  return { people, session, MessageId }
}

suite('a handler that calls another AWS service as well', () => {
  test("calls it with the function's key of Carillon, unless its client has another one", async () => {
    const { session } = await sendThrough('unmodified')
    assert.deepEqual(await session.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
    const [caller] = callers
    assert.match(caller?.accessKeyId ?? '', /^ASIA/)
    assert.notEqual(caller?.accessKeyId, server.credentials.accessKeyId)
  })

  test('may give the client of the other service a profile, with temporary credentials too', async () => {
    const { session } = await sendThrough('profile')
    assert.deepEqual(await session.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
    assert.deepEqual(callers, [{ accessKeyId: 'ASIAPROFILEPROFILE12', sessionToken: 'profile-token' }])
  })

  for (const [name, why] of [
    ['replaced', 'another pair in function.json, which Carillon does not know'],
    ['temporary', "a session token in function.json, which is not that of the function's key"],
  ] as const) {
    test(`cannot send its callback with ${why}`, async () => {
      const { people, MessageId } = await sendThrough(name)
      await log.waitFor('UnrecognizedClientException')
      assert.equal(await people.status(MessageId), 'PENDING')
      assert.equal(callers.length, 1)
      log.lines.length = 0
    })
  }
})
