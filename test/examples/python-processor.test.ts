import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { after, suite, test } from 'node:test'
import { populate, processor } from '../support/population.ts'
import { portPrintedBy } from '../support/printed-port.ts'
import { findPython } from '../support/python.ts'
import { unlessRequired } from '../support/required.ts'
import { startTestServer } from '../support/running-server.ts'

const root = join(import.meta.dirname, '../..')
const script = join(root, 'examples/python/processor.py')
const { python, missing } = findPython(['boto3'])
const skip = unlessRequired(missing)

test('docs/processors.md shows the processor as it is', async () => {
  const page = await readFile(join(root, 'docs/processors.md'), 'utf8')
  assert.ok(page.includes(`\`\`\`python\n${await readFile(script, 'utf8')}\`\`\`\n`))
})

suite('the processor in Python', { skip, timeout: 60_000 }, async () => {
  if (skip) return
  // Each has to know the other's port, so one of them is known by that of a forwarder.
  const pythonPort = Promise.withResolvers<number>()
  const forwarder = createServer(async (socket) => {
    pipeline(socket, connect(await pythonPort.promise, '127.0.0.1'), socket, () => {})
  })
  await once(forwarder.listen(0, '127.0.0.1'), 'listening')
  after(() => forwarder.close())
  const endpoint = `http://127.0.0.1:${(forwarder.address() as AddressInfo).port}`
  const server = await startTestServer({ flags: ['--lambda-endpoint', endpoint] })
  const child = spawn(python, [script, '0'], {
    env: {
      PATH: process.env.PATH,
      AWS_ENDPOINT_URL_CHIME_SDK_MESSAGING: server.endpoint.http,
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: server.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: server.credentials.secretAccessKey,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  after(() => child.kill())
  pythonPort.resolve(await portPrintedBy(child))

  test('changes a message by its callback', async () => {
    const people = await populate(server)
    await people.attachFlow(['redact-python'])
    const session = await server.session(people.owner)
    await people.send({ Content: 'Call +1 212 555 0142 now', Metadata: '{"colour":"blue"}' })
    const { eventType, payload } = await session.next()
    assert.equal(eventType, 'CREATE_CHANNEL_MESSAGE')
    const { Content, Metadata } = payload as { Content: string; Metadata: string }
    assert.deepEqual([Content, Metadata], ['Call [phone] now', '{"colour":"blue"}'])
  })

  test('answers 404 for a function that it does not have: the FallbackAction decides', async () => {
    const people = await populate(server)
    await people.attachFlow([], { Processors: [{ ...processor('other'), FallbackAction: 'CONTINUE' }] })
    const session = await server.session(people.owner)
    await people.send()
    assert.deepEqual(await session.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
  })
})
