import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import { ChimeSDKIdentityClient, ListAppInstancesCommand } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessagingClient, GetMessagingSessionEndpointCommand } from '@aws-sdk/client-chime-sdk-messaging'
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts'
import { type DataFolder, openDataFolder } from '../../src/runtime/data-folder.ts'
import {
  type AwsFiles,
  type Endpoint,
  removeEndpointFile,
  writeEndpointFiles,
} from '../../src/runtime/endpoint-files.ts'

const keys = { accessKeyId: 'AKIACARILLON0000TEST', secretAccessKey: '#a;secret=with/all+that"is\'allowed%' }
const requests: IncomingMessage[] = []
const server = createServer((request, response) => {
  requests.push(request)
  response.end('{}')
})

let folder: DataFolder
let endpoint: Endpoint
let files: AwsFiles
before(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening')
  folder = openDataFolder(mkdtempSync(join(tmpdir(), 'carillon-endpoint-files-')))
  endpoint = {
    http: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    https: 'https://localhost:8443',
    wss: 'localhost:8443',
    admin: 'http://127.0.0.1:8081',
    console: undefined,
    region: 'eu-central-1',
    account: '000000000000',
    ca: join(folder.path, 'ca.pem'),
  }
  files = writeEndpointFiles(folder, endpoint, keys)
})
after(() => {
  server.close()
  folder.close()
  rmSync(folder.path, { recursive: true })
})

test('endpoint.json tells where the server is, and which process it is', () => {
  const told = JSON.parse(readFileSync(join(folder.path, 'endpoint.json'), 'utf8'))
  const { processStart, ...rest } = told
  assert.deepEqual(rest, JSON.parse(JSON.stringify({ ...endpoint, pid: process.pid })))
  if (process.platform === 'linux') assert.match(processStart, /^\d+$/)
})

test('the AWS files are for this user alone', () => {
  for (const path of Object.values(files)) assert.equal(statSync(path).mode & 0o777, 0o600)
})

suite('with the AWS files, an SDK client', () => {
  before(() => {
    process.env.AWS_CONFIG_FILE = files.config
    process.env.AWS_SHARED_CREDENTIALS_FILE = files.credentials
    process.env.AWS_PROFILE = 'carillon'
  })

  test('for messaging calls this server, in this region, with this key', async () => {
    await new ChimeSDKMessagingClient().send(new GetMessagingSessionEndpointCommand())
    const scope = requests.at(-1)!.headers.authorization
    assert.match(scope ?? '', /Credential=AKIACARILLON0000TEST\/\d{8}\/eu-central-1\/chime\/aws4_request/)
  })

  test('for identity calls this server', async () => {
    await new ChimeSDKIdentityClient().send(new ListAppInstancesCommand())
    assert.equal(requests.at(-1)!.url, '/app-instances')
  })

  test('for STS calls this server', async () => {
    // The response has no identity in it, and only the request counts.
    await new STSClient().send(new GetCallerIdentityCommand()).catch(() => {})
    assert.match(requests.at(-1)!.headers.authorization ?? '', /eu-central-1\/sts\/aws4_request/)
  })

  test('reads the secret as it was written', async () => {
    const { secretAccessKey } = await new ChimeSDKMessagingClient().config.credentials()
    assert.equal(secretAccessKey, keys.secretAccessKey)
  })
})

test('removeEndpointFile leaves the AWS files', () => {
  removeEndpointFile(folder)
  assert.equal(folder.read('endpoint.json'), undefined)
  assert.ok(folder.read('aws/config'))
})
