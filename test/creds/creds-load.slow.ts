import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { type TestContext, test } from 'node:test'
import { processDescriptors } from '../../src/runtime/descriptors.ts'
import { populate } from '../support/population.ts'
import { unlessRequired } from '../support/required.ts'
import { startTestServer } from '../support/running-server.ts'
import { origin, turnOn } from './signing-in.ts'

const callers = 1_000
const rounds = 2
const sendsPerRound = 200

const server = await startTestServer()
await turnOn(server, { callsPerMinute: 1_000_000 })
const people = await populate(server)
const limit = processDescriptors().limit()
const descriptorsMin = 2 * callers + 500
const skip = unlessRequired(
  limit < descriptorsMin && `${callers} callers take ${descriptorsMin} file descriptors, and the limit is ${limit}`,
)

/** Starts the callers, and returns when each has called once. The returned function ends them, and returns the statuses. */
async function startCallers(t: TestContext) {
  const { port } = new URL(server.endpoint.http)
  const program = join(import.meta.dirname, 'callers.ts')
  const child = spawn(process.execPath, [program, port, origin, String(callers)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.after(() => child.kill('SIGKILL'))
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]()
  assert.equal((await lines.next()).value, 'ready')
  return async (): Promise<Record<string, number>> => {
    child.stdin!.end()
    const { value } = await lines.next()
    await once(child, 'exit')
    return JSON.parse(value!)
  }
}

/** How long each send took, in milliseconds. Rejects if one fails. */
async function send(): Promise<number[]> {
  const took: number[] = []
  for (let index = 0; index < sendsPerRound; index += 1) {
    const startedMs = performance.now()
    await people.send({ ChimeBearer: people.owner })
    took.push(performance.now() - startedMs)
  }
  return took
}

function percentile(times: number[], part: number): string {
  const sorted = times.toSorted((a, b) => a - b)
  return sorted[Math.floor(sorted.length * part)]!.toFixed(1)
}

test('1,000 callers of /creds, half of them slow to send, and no other call fails', { skip }, async (t) => {
  await send()
  const [without, beside]: [number[], number[]] = [[], []]
  const statuses: Record<string, number> = {}
  for (let round = 0; round < rounds; round += 1) {
    without.push(...(await send()))
    const end = await startCallers(t)
    beside.push(...(await send()))
    for (const [status, count] of Object.entries(await end())) statuses[status] = (statuses[status] ?? 0) + count
  }
  t.diagnostic(
    `a send without and beside the callers, in ms: median ${percentile(without, 0.5)} and ${percentile(beside, 0.5)}, p99 ${percentile(without, 0.99)} and ${percentile(beside, 0.99)}; the callers got ${JSON.stringify(statuses)} (0: no response)`,
  )
  assert.ok((statuses[200] ?? 0) >= callers / 2, 'those who sign in were served')
})
