import assert from 'node:assert/strict'
import { randomInt } from 'node:crypto'
import { setTimeout } from 'node:timers/promises'
import { randomFrom } from '../../cluster/random.ts'
import { startTestServer, type TestServer } from '../../support/running-server.ts'
import { sign } from '../../support/smithy-signer.ts'
import { SteeredStore } from '../../support/steered-store.ts'
import { addActingFunction } from '../../support/test-keys.ts'
import { createWorld, type FuzzWorld, settled } from './fuzz-world.ts'
import { leaks, Oracle } from './oracle.ts'
import { type FuzzRequest, Requests } from './requests.ts'
import type { TriedKey } from './tried-keys.ts'

interface FuzzOptions {
  requests: number
  /** Fails if fewer operations were reached: it would show too little. */
  operationsMin?: number
  /** Printed, so that a run can be repeated. */
  seed?: number | undefined
  /** For tests of the fuzzer: changes what is said of the keys. */
  misjudge?(keys: TriedKey[]): TriedKey[]
}

export interface FuzzResult {
  /** One line about each request, or batch of requests, that went beyond its key. */
  found: string[]
  /** The operations that a key was permitted to call, and those of them that succeeded. */
  reached: Set<string>
  succeeded: Set<string>
}

/** So many requests are sent by a key before the rows are compared: the more, the more the key may do. */
function batchOf({ reads, writes }: TriedKey): number {
  const zones = reads.length + writes.length
  return zones === 0 ? 4 : zones < 3 ? 10 : zones < 16 ? 28 : 50
}

export async function fuzzKeys(options: FuzzOptions): Promise<FuzzResult> {
  const { seed = randomInt(2 ** 31), requests, operationsMin = 0, misjudge = (keys) => keys } = options
  console.log(`fuzzing keys: ${requests} requests, seed ${seed}`)
  const random = randomFrom(seed)
  const store = new SteeredStore()
  const server = await startTestServer({ aroundStore: store.around })
  await addActingFunction(server, 'acting', ['ann'])
  await addActingFunction(server, 'idle', ['ann'])
  await server.restart()
  const result: FuzzResult = { found: [], reached: new Set(), succeeded: new Set() }
  for (let left = requests; left > 0; ) {
    const world = await createWorld(server, store)
    const run = new FuzzRun(server, world, random, result)
    const oracle = new Oracle(store, world)
    await oracle.begin()
    for (const key of misjudge(world.keys)) {
      const count = Math.min(batchOf(key), left)
      await run.batch(key, count, oracle, () => settled(store))
      left -= count
      if (left === 0) break
    }
  }
  const { found, reached, succeeded } = result
  console.log(
    `${reached.size} operations reached, ${succeeded.size} succeeded; ${found.length} requests beyond their key`,
  )
  assert.ok(reached.size >= operationsMin, `only ${reached.size} operations were reached`)
  return result
}

/** They come from operations, so the key has permitted the call. */
const laterErrors = ['ForbiddenException', 'NotFoundException', 'ConflictException']

class FuzzRun {
  readonly #server: TestServer
  readonly #requests: Requests
  readonly #result: FuzzResult
  readonly #users: string[]

  constructor(server: TestServer, world: FuzzWorld, random: () => number, result: FuzzResult) {
    this.#server = server
    this.#requests = new Requests(world, random)
    this.#result = result
    this.#users = world.houses.flatMap(({ ann, bob, admin }) => [ann, bob, admin])
  }

  async batch(key: TriedKey, count: number, oracle: Oracle, settle: () => Promise<void>): Promise<void> {
    for (const userArn of this.#users) await this.#connect(key, userArn)
    const sent: string[] = []
    for (let index = 0; index < count; index += 1) {
      const request = this.#requests.next(key, this.#result.succeeded)
      const { status, type, text } = await this.#send(request, key)
      const line = `${request.method} ${request.target} as ${request.bearer} ${JSON.stringify(request.body)}: ${status}`
      if (status < 300) {
        sent.push(line)
        this.#result.succeeded.add(request.operation.name)
      }
      if (status < 300 || laterErrors.includes(type)) this.#result.reached.add(request.operation.name)
      this.#requests.learn(text)
      const shown = leaks(text, key)
      if (shown.length > 0) this.#result.found.push(`${key.name} reads ${shown.join()}: ${line}`)
    }
    await settle()
    const trespasses = await oracle.trespasses(key)
    if (trespasses.length > 0) {
      this.#result.found.push(`${key.name} changes ${trespasses.join('; ')}, by one of:\n${sent.join('\n')}`)
    }
  }

  async #send({ method, target, bearer, body, headers, afterSigning }: FuzzRequest, { credentials }: TriedKey) {
    const { host, origin } = new URL(this.#server.endpoint.http)
    const text = body === undefined ? '' : JSON.stringify(body)
    const bearing = bearer === undefined ? {} : { 'x-amz-chime-bearer': bearer }
    const call = { method, target, headers: { host, ...bearing, ...headers }, body: text }
    const signed = await sign(call, { credentials, signingDate: new Date(this.#server.clock.now()) })
    const sentHeaders = {
      ...signed.headers,
      ...(afterSigning.bearer && { 'x-amz-chime-bearer': afterSigning.bearer }),
      ...(afterSigning.token !== undefined && { 'x-amz-security-token': afterSigning.token }),
    }
    const response = await fetch(origin + (afterSigning.target ?? target), {
      method,
      headers: sentHeaders,
      ...(text !== '' && { body: text }),
    })
    return {
      status: response.status,
      type: response.headers.get('x-amzn-errortype') ?? '',
      text: await response.text(),
    }
  }

  /** The session may be established only as a user of the key. */
  async #connect(key: TriedKey, userArn: string): Promise<void> {
    const session = await this.#server.connect(userArn, key.credentials)
    const established = session.next().then(
      () => true,
      () => false,
    )
    const isIn = await Promise.race([established, session.closed.then(() => false)])
    session.webSocket.terminate()
    await Promise.race([session.closed, setTimeout(1_000, undefined, { ref: false })])
    if (isIn && !key.connects.includes(userArn)) this.#result.found.push(`${key.name} connects as ${userArn}`)
  }
}
