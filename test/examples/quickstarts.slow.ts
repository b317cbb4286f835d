import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { after, before, suite, test } from 'node:test'
import { promisify } from 'node:util'
import { buildFolder } from '../../conformance/sdks.ts'
import { populate } from '../support/population.ts'
import { portPrintedBy } from '../support/printed-port.ts'
import { findPython } from '../support/python.ts'
import { unlessRequired } from '../support/required.ts'
import { startTestServer } from '../support/running-server.ts'

/* The programs of examples/, as they stand: each in its language, with the environment of docs/clients.md. */

const examples = join(import.meta.dirname, '../../examples')
const clients = join(import.meta.dirname, '../clients/python/bin')
const { python, missing: missingPython } = findPython(['boto3'])
const missingAws = !existsSync(join(clients, 'aws')) && 'the AWS CLI 1 is not installed: npm run test:setup installs it'
const missingGo = spawnSync('go', ['version']).status !== 0 && 'there is no go'
const goPrograms = join(buildFolder, 'go-examples')

// The Go processor and the server need each other's port, so the server calls the processor through a forwarder.
const processorPort = Promise.withResolvers<number>()
const forwarder = createServer(async (socket) => {
  pipeline(socket, connect(await processorPort.promise, '127.0.0.1'), socket, () => {})
})
await once(forwarder.listen(0, '127.0.0.1'), 'listening')
after(() => forwarder.close())
const lambda = `http://127.0.0.1:${(forwarder.address() as AddressInfo).port}`
const server = await startTestServer({
  flags: ['--functions', join(examples, 'processors'), '--lambda-endpoint', lambda],
})

const env = {
  PATH: `${clients}:${process.env.PATH}`,
  AWS_ENDPOINT_URL: server.endpoint.http,
  AWS_REGION: 'us-east-1',
  AWS_DEFAULT_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
  AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
  PYTHONDONTWRITEBYTECODE: '1',
}
const quickstart = (name: string) => join(examples, 'quickstart', name)
const go = join(goPrograms, 'quickstart')
const quickstarts: Record<string, { command: [string, ...string[]]; missing?: string | false }> = {
  JavaScript: { command: [process.execPath, quickstart('quickstart.mjs')] },
  Python: { command: [python, quickstart('quickstart.py')], missing: missingPython },
  'the shell': { command: ['sh', quickstart('quickstart.sh')], missing: missingAws },
  Go: { command: [go, server.endpoint.http], missing: missingGo },
}

before(
  async () => {
    if (missingGo) return
    await mkdir(goPrograms, { recursive: true })
    await promisify(execFile)('go', ['build', '-o', `${goPrograms}/`, './...'], { cwd: join(examples, 'go') })
  },
  { timeout: 600_000 },
)

for (const [language, { command, missing = false }] of Object.entries(quickstarts)) {
  test(`the quickstart in ${language}`, { skip: unlessRequired(missing), timeout: 120_000 }, async (t) => {
    const home = await mkdtemp(join(tmpdir(), 'carillon-quickstart-'))
    t.after(() => rm(home, { recursive: true }))
    const [program, ...args] = command
    const { stdout } = await promisify(execFile)(program, args, { env: { ...env, HOME: home }, signal: t.signal })
    assert.equal(stdout, 'SENT Call [phone]\n')
  })
}

suite('the processor in Go', { skip: unlessRequired(missingGo) }, () => {
  test('changes a message by its callback', async (t) => {
    const child = spawn(join(goPrograms, 'processor'), ['0', server.endpoint.http], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    t.after(() => child.kill())
    processorPort.resolve(await portPrintedBy(child))
    const people = await populate(server)
    await people.attachFlow(['redact-go'])
    const session = await server.session(people.owner)
    await people.send({ Content: 'Call +1 212 555 0142 now', Metadata: '{"colour":"blue"}' })
    const { eventType, payload } = await session.next()
    assert.equal(eventType, 'CREATE_CHANNEL_MESSAGE')
    const { Content, Metadata } = payload as { Content: string; Metadata: string }
    assert.deepEqual([Content, Metadata], ['Call [phone] now', '{"colour":"blue"}'])
  })
})
