import assert from 'node:assert/strict'
import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { temporaryFolder } from '../processor/functions.ts'
import { unlessRequired } from '../support/required.ts'
import { startTestServer, type TestServer } from '../support/running-server.ts'

/*
 * The clients of docs/clients.md, each with the settings of its row. None may call anything but this machine: Node's
 * clients are ended by only-this-machine.cjs, and the others have a proxy that lets nothing through.
 */
const here = import.meta.dirname
const page = readFileSync(join(here, '../../docs/clients.md'), 'utf8')
const python = join(here, 'python/bin/python')
const awsCli = join(here, 'python/bin/aws')
const setup = 'npm run test:setup installs it'

interface Client {
  /** Its script in this folder, with the arguments before those of every client: a channel, a user and the endpoint. */
  command: [program: string, script: string, ...args: string[]]
  /** The script is given the endpoint. */
  named?: true
  /** Why it cannot run here. */
  missing?: string | false
  /** Called without the endpoint, it calls this host at AWS. */
  callsAws?: string
}

const node = process.execPath
const guard = ['--require', join(here, 'only-this-machine.cjs')] as const
const missingV2 = !existsSync(join(here, 'node_modules/aws-sdk')) && `aws-sdk is not installed: ${setup}`
const missingPython = !existsSync(python) && `boto3 and the AWS CLI 1 are not installed: ${setup}`
const debian = { aws: '/usr/bin/aws', python: '/usr/bin/python3' }
const identityAtAws = 'identity-chime.us-east-1.amazonaws.com'

/** The version that a program prints, if it is one before that: the later ones read the endpoint. */
function isOlder([program, ...args]: [string, ...string[]], major: number, minor: number): boolean {
  const { stdout } = spawnSync(program, args, { encoding: 'utf8' })
  const [, first, second] = /(\d+)\.(\d+)\.\d+/.exec(stdout ?? '') ?? []
  return Number(first) === major && Number(second) < minor
}

const printBoto = 'import boto3; print(boto3.__version__)'
const missingDebianBoto =
  spawnSync(debian.python, ['-c', printBoto]).status !== 0 && `python3-boto3 is missing: ${setup}`
const missingDebianCli = !existsSync(debian.aws) && `awscli is missing: ${setup}`

const clients: Record<string, Client> = {
  'AWS SDK for JavaScript v3 in Node': { command: [node, 'sdk-v3.mjs'] },
  'AWS SDK for JavaScript v3 in Node, no files': { command: [node, 'sdk-v3.mjs'] },
  boto3: { command: [python, 'boto.py'], missing: missingPython },
  'boto3, no files': { command: [python, 'boto.py'], missing: missingPython },
  'AWS CLI 1': { command: ['/bin/sh', 'aws-cli.sh', awsCli], missing: missingPython },
  'AWS CLI 1, no files': { command: ['/bin/sh', 'aws-cli.sh', awsCli], missing: missingPython },
  'boto3 1.26 (Debian 12)': {
    command: [debian.python, 'boto.py'],
    named: true,
    missing: missingDebianBoto,
    ...(isOlder([debian.python, '-c', printBoto], 1, 28) && { callsAws: identityAtAws }),
  },
  'AWS CLI 2.9 (Debian 12)': {
    command: ['/bin/sh', 'aws-cli.sh', debian.aws],
    named: true,
    missing: missingDebianCli,
    ...(isOlder([debian.aws, '--version'], 2, 13) && { callsAws: identityAtAws }),
  },
  'AWS SDK for JavaScript v2': {
    command: [node, 'sdk-v2.cjs'],
    named: true,
    missing: missingV2,
    callsAws: identityAtAws,
  },
  'AWS SDK for JavaScript v2, namespace AWS.Chime': {
    command: [node, 'sdk-v2-chime.cjs'],
    named: true,
    missing: missingV2,
    callsAws: 'chime.us-east-1.amazonaws.com',
  },
  'DefaultMessagingSession in Node 22 or newer': { command: [node, 'session.mjs'] },
}

interface Row {
  name: string
  environment: 'files' | 'variables'
  also: string
  code: string
}

const [, table = ''] = /^## What each client needs\n(.*?)^## /ms.exec(page) ?? []
const rows = [...table.matchAll(/^\| (.*) \| (files|variables) \|(.*)\|(.*)\|$/gm)].map(
  ([, name = '', environment, also = '', code = '']): Row => ({
    name: name.replaceAll('`', ''),
    environment: environment as Row['environment'],
    also: also.trim(),
    code: code.trim(),
  }),
)

/** What the page says to export, for this server. */
function exported(text: string, server: TestServer): Record<string, string> {
  const assignments = [...text.matchAll(/\b([A-Z_0-9]+)=([^\s`]+)/g)]
  const { accessKeyId, secretAccessKey } = server.credentials
  const secrets: Record<string, string> = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
  return Object.fromEntries(
    assignments.map(([, name = '', value = '']) => [
      name,
      (value === '…' ? secrets[name] : undefined) ??
        value.replace('http://127.0.0.1:8080', server.endpoint.http).replace(/^data\//, `${server.dataDir}/`),
    ]),
  )
}

/** A proxy that lets nothing through, and knows what was asked for. */
async function startClosedProxy(context: TestContext): Promise<{ url: string; hosts: string[] }> {
  const hosts: string[] = []
  const proxy = createServer((request, response) => {
    hosts.push(String(request.url))
    response.writeHead(502).end()
  })
  proxy.on('connect', (request, socket) => {
    hosts.push(String(request.url))
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
  })
  await once(proxy.listen(0, '127.0.0.1'), 'listening')
  context.after(() => proxy.close())
  return { url: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, hosts }
}

/** Runs the client's script. `reached` is what it tried to reach besides this machine. */
async function runClient(t: TestContext, row: Row, server: TestServer, args: string[]) {
  const { command } = clients[row.name]!
  const [program, script, ...first] = command
  const [, block = ''] = new RegExp(`^\\*\\*${row.environment}\\b.*?\`\`\`sh\\n(.*?)\`\`\``, 'ims').exec(page) ?? []
  const proxy = await startClosedProxy(t)
  const env = {
    PATH: '/usr/bin:/bin',
    HOME: await temporaryFolder(t),
    HTTPS_PROXY: proxy.url,
    HTTP_PROXY: proxy.url,
    NO_PROXY: '127.0.0.1,localhost',
    AWS_MAX_ATTEMPTS: '1',
    AWS_EC2_METADATA_DISABLED: 'true',
    PYTHONDONTWRITEBYTECODE: '1',
    AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1',
    ...exported(block, server),
    ...exported(row.also, server),
  }
  const all = [...(program === node ? guard : []), join(here, script), ...first, ...args]
  const { promise, resolve } = Promise.withResolvers<{ status: unknown; stdout: string; stderr: string }>()
  execFile(
    program,
    all,
    { env, signal: t.signal, timeout: clientMsMax, killSignal: 'SIGKILL' },
    (error, stdout, stderr) => resolve({ status: error ? (error.code ?? error.signal) : 0, stdout, stderr }),
  )
  const result = await promise
  const looked = [...result.stderr.matchAll(/^would call (\S+)$/gm)].map(([, host = '']) => host)
  return { ...result, reached: [...proxy.hosts.map((host) => host.replace(/:443$/, '')), ...looked] }
}

/** The AWS CLI starts twice, each of which is a second of a processor, or two. */
const clientMsMax = 60_000

const server = await startTestServer()

async function makeChannel() {
  const { AppInstanceArn } = await server.identity.createAppInstance({ Name: 'clients' })
  const user = { AppInstanceArn, AppInstanceUserId: 'ann', Name: 'Ann' }
  const { AppInstanceUserArn: ChimeBearer = '' } = await server.identity.createAppInstanceUser(user)
  const channel = { AppInstanceArn, Name: 'talk', ChimeBearer }
  const { ChannelArn = '' } = await server.messaging.createChannel(channel)
  return { ChannelArn, ChimeBearer }
}

test('each row of docs/clients.md has its client, and each client its row', () => {
  assert.deepEqual(
    rows.map(({ name }) => name),
    Object.keys(clients),
  )
  for (const { name, code } of rows) {
    const [, script] = clients[name]!.command
    const [, snippet] = /`([^`]+)`/.exec(code) ?? []
    if (snippet) assert.ok(readFileSync(join(here, script), 'utf8').includes(snippet), `${script} has no ${snippet}`)
  }
})

for (const row of rows) {
  const { named, missing = false, callsAws } = clients[row.name] ?? {}
  suite(row.name, { skip: unlessRequired(missing) }, () => {
    test('calls this server, with what the page says', async (t) => {
      const { ChannelArn, ChimeBearer } = await makeChannel()
      const args = [ChannelArn, ChimeBearer, ...(named ? [server.endpoint.http] : [])]
      assert.deepEqual(await runClient(t, row, server, args), { status: 0, stdout: 'Ann\n', stderr: '', reached: [] })
      const { ChannelMessages } = await server.messaging.listChannelMessages({ ChannelArn, ChimeBearer })
      assert.deepEqual(
        ChannelMessages?.map(({ Content }) => Content),
        ['hello'],
      )
    })

    if (callsAws) {
      test('would call AWS if the code did not name the endpoint', async (t) => {
        const { ChannelArn, ChimeBearer } = await makeChannel()
        const { status, stdout, reached } = await runClient(t, row, server, [ChannelArn, ChimeBearer])
        assert.notEqual(status, 0)
        assert.equal(stdout, '')
        assert.deepEqual([...new Set(reached)], [callsAws])
      })
    }
  })
}
