import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { Agent as HttpAgent } from 'node:http'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, type TestContext, test } from 'node:test'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { processDescriptors } from '../../src/runtime/descriptors.ts'
import { Flood } from '../support/flood.ts'
import { audience, Issuer } from '../support/issuer.ts'
import { populate } from '../support/population.ts'
import { unlessRequired } from '../support/required.ts'
import { startTestServer } from '../support/running-server.ts'

const callers = 1_000
const dripping = 1_000
/** Both ends of each dripping connection are in this process. */
const descriptorsMin = callers + 2 * dripping + 500

const limit = processDescriptors().limit()
const skip = unlessRequired(
  limit < descriptorsMin && `the flood takes ${descriptorsMin} file descriptors, and the limit is ${limit}`,
)

const issuer = await Issuer.open()
after(() => issuer.close())
const server = await startTestServer()
const people = await populate(server)
const user = people.owner
await server.restart(['--sts-roles', 'any=user', '--oidc-issuer', issuer.url, '--oidc-audience', audience])
const { host, port } = new URL(server.endpoint.http)

/** Starts the callers. Resolves when each has had a response, to what ends them and returns the counts of their statuses. */
async function startCallers(t: TestContext, form: string): Promise<() => Promise<Record<string, number>>> {
  const program = join(import.meta.dirname, 'flood-callers.ts')
  const args = [program, `http://${host}/`, String(callers)]
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  t.after(() => child.kill('SIGKILL'))
  child.stdin.end(form)
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  assert.equal((await lines.next()).value, 'calling')
  return async () => {
    child.kill('SIGTERM')
    return JSON.parse((await lines.next()).value ?? '')
  }
}

function clientFor(t: TestContext): ChimeSDKMessaging {
  const { credentials, endpoint } = server
  const httpAgent = new HttpAgent({ keepAlive: true })
  const options = { endpoint: endpoint.http, region: 'us-east-1', credentials, maxAttempts: 1 }
  const client = new ChimeSDKMessaging({ ...options, requestHandler: { httpAgent } })
  t.after(() => client.destroy())
  return client
}

/** How long each call took, in milliseconds. Rejects if one fails. */
async function sendSome(client: ChimeSDKMessaging, calls: number): Promise<number[]> {
  const took: number[] = []
  for (let index = 0; index < calls; index += 1) {
    const startedMs = performance.now()
    await client.sendChannelMessage(people.message({ ChimeBearer: user }))
    took.push(performance.now() - startedMs)
  }
  return took
}

const quantile = (times: number[][], share: number) => {
  const sorted = times.flat().sort((a, b) => a - b)
  return sorted[Math.floor((sorted.length - 1) * share)]!.toFixed(1)
}

test('1,000 callers of STS and 1,000 that drip a body, and no call of ten clients fails', { skip }, async (t) => {
  const clients = Array.from({ length: 10 }, () => clientFor(t))
  const run = () => Promise.all(clients.map((client) => sendSome(client, 200)))
  await run()
  const before = await run()

  const WebIdentityToken = await issuer.token({ issuedAtMs: Date.now(), claims: { sub: user } })
  const role = { RoleArn: 'arn:aws:iam::111122223333:role/any', RoleSessionName: 'flood' }
  const action = { Action: 'AssumeRoleWithWebIdentity', Version: '2011-06-15' }
  const form = new URLSearchParams({ ...action, ...role, WebIdentityToken }).toString()
  const beginning =
    'POST / HTTP/1.1\r\nhost: a\r\ncontent-type: application/x-www-form-urlencoded\r\ncontent-length: 60000\r\n\r\nAction='
  const floods = ['127.0.2.1', '127.0.2.2'].map(
    (localAddress) =>
      new Flood({ port: Number(port), localAddress, size: dripping / 2, text: beginning, attemptsMax: dripping }),
  )
  t.after(() => floods.map((flood) => flood.close()))
  const endCallers = await startCallers(t, form)
  const during = await run()
  const counts = await endCallers()
  t.diagnostic(
    `STS responded with ${JSON.stringify(counts)}; a send took ${quantile(before, 0.5)} ms (p99 ${quantile(before, 0.99)} ms) before, ${quantile(during, 0.5)} ms (p99 ${quantile(during, 0.99)} ms) meanwhile`,
  )
  assert.ok((counts[200] ?? 0) > 0, 'no caller got a key')
})
