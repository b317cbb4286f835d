import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import { once } from 'node:events'
import { createServer as createHttpsServer } from 'node:https'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, type TestContext, test } from 'node:test'
import type { HandOff } from '../../src/processor/target.ts'
import { certificateNames, createAuthority, issueCertificate } from '../../src/tls/issue-certificate.ts'
import { temporaryFolder, writeFiles } from './functions.ts'
import { listenFor, openEndpoint, recorder, startLambda, status } from './lambda-endpoint.ts'

const script = join(import.meta.dirname, 'strained.ts')
const code = 'export const handler = () => {}'

type Round = Record<string, HandOff>

/** What the process prints, which ends with the test at the latest. */
async function runStrained(t: TestContext, command: string[], environment: NodeJS.ProcessEnv = {}): Promise<Round[]> {
  const [program = '', ...args] = command
  const child: ChildProcess = spawn(program, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  const printed = await text(child.stdout!)
  return printed
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line))
}

/** What the system says of a name that does not exist: without a name server it cannot know. */
const isNameServerThere = await lookup('nowhere.invalid').catch(({ code }) => code === 'ENOTFOUND')

describe('what a server lacks itself is no fault of an endpoint', { concurrency: 2 }, () => {
  test('a stall of the event loop for longer than a connect may take', async (t) => {
    const { endpoint } = await openEndpoint(t, status(202))
    const { endpoint: secure, authorityFile } = await openTlsEndpoint(t)
    const endpoints = [endpoint, endpoint.replace('127.0.0.1', 'localhost'), secure]
    const command = [process.execPath, script, 'stall', await temporaryFolder(t), ...endpoints]
    const rounds = await runStrained(t, command, { NODE_EXTRA_CA_CERTS: authorityFile })
    assert.deepEqual(rounds, [Object.fromEntries(endpoints.map((called) => [called, { result: 'accepted' }]))])
  })

  test('no free file descriptor, under which every name seems not to exist', async (t) => {
    const { endpoint } = await openEndpoint(t, status(202))
    const local = endpoint.replace('127.0.0.1', 'localhost')
    const nowhere = 'http://nowhere.invalid'
    const folder = await temporaryFolder(t, { 'used.mjs': code, 'unused.mjs': code })
    const command = `ulimit -n 96; exec "$0" "$@"`
    const args = [process.execPath, script, 'descriptors', folder, endpoint, local, nowhere]
    const [during, after] = await runStrained(t, ['sh', '-c', command, ...args])
    const resultOf = (round: Round | undefined, callee: string) => round?.[callee]?.result
    const causeOf = (round: Round | undefined, callee: string) => {
      const handOff = round?.[callee]
      return handOff?.result === 'deferred' ? handOff.cause : handOff?.result
    }
    for (const callee of [endpoint, local, nowhere]) assert.equal(causeOf(during, callee), 'descriptors', callee)
    assert.equal(causeOf(during, 'unused'), 'descriptors')
    assert.equal(causeOf(during, 'missing'), 'descriptors')

    for (const callee of [endpoint, local]) assert.equal(resultOf(after, callee), 'accepted', callee)
    assert.equal(causeOf(after, nowhere), isNameServerThere ? 'unreached' : 'network')
    assert.equal(resultOf(after, 'unused'), 'completed')
  })
})

describe('an endpoint cannot be reached, and nothing is wrong here, when', () => {
  test('it refuses connections, by address and by name', async (t) => {
    const { endpoint, server } = await openEndpoint(t)
    server.close()
    await once(server, 'close')
    for (const called of [endpoint, endpoint.replace('127.0.0.1', 'localhost')]) {
      const handOff = await startLambda(t, called).invoke()
      assert.ok(handOff.result === 'unreached' && !handOff.permanent, JSON.stringify(handOff))
    }
  })

  test('its name does not exist', async (t) => {
    const handOff = await startLambda(t, 'http://nowhere.invalid').invoke()
    assert.equal(handOff.result, isNameServerThere ? 'unreached' : 'deferred')
  })

  test('its certificate is not trusted', async (t) => {
    const { endpoint } = await openTlsEndpoint(t)
    const handOff = await startLambda(t, endpoint).invoke()
    assert.equal(handOff.result, 'unreached')
  })
})

async function openTlsEndpoint(t: TestContext) {
  const now = Date.now()
  const authority = await createAuthority(now)
  const names = certificateNames('127.0.0.1', undefined)
  const { certificatePem: cert, privateKeyPem: key } = await issueCertificate(authority, names, now)
  const port = await listenFor(t, createHttpsServer({ cert, key }, recorder(status(202)).listener))
  const folder = await temporaryFolder(t)
  await writeFiles(folder, { 'authority.pem': authority.certificatePem })
  return { endpoint: `https://127.0.0.1:${port}`, authorityFile: join(folder, 'authority.pem') }
}
