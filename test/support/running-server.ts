import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after } from 'node:test'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import type { Config } from '../../src/config.ts'
import { type Clock, systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import { SessionClient } from '../session/session-client.ts'
import { Processors } from './processors.ts'
import { presign, sign } from './smithy-signer.ts'

const region = 'us-east-1'

/** A call that an SDK would not send, or an answer that it would not show. */
interface RawCall {
  bearer?: string
  /** An object is sent as JSON, a text as it is. */
  body?: object | string
}

interface RawAnswer {
  status: number
  /** The class of the SDK's exception. */
  type: string | null
  // biome-ignore lint/suspicious/noExplicitAny: any JSON that an operation answers
  body: any
}

/** A real server on free ports, and AWS's own clients for it. An error in its log fails the test file. */
export class TestServer {
  readonly processors: Processors
  readonly clock: Clock
  /** Replaced by `restart`, since another port is listened on then. */
  messaging!: ChimeSDKMessaging
  identity!: ChimeSDKIdentity
  #config: Config
  #running!: RunningServer
  #errors: object[] = []

  constructor(folder: string, processors: Processors, clock: Clock) {
    this.processors = processors
    this.clock = clock
    this.#config = {
      dataDir: join(folder, 'data'),
      host: '127.0.0.1',
      httpPort: 0,
      httpsPort: 0,
      publicHost: undefined,
      region,
      account: '111122223333',
      functions: join(folder, 'functions'),
      logLevel: 'error',
      credentials: undefined,
    }
  }

  get endpoint() {
    return this.#running.endpoint
  }

  async start(): Promise<void> {
    const log = { ...silentLog, error: (fields: object, text: string) => void this.#errors.push({ text, ...fields }) }
    const { clock } = this
    this.#running = await startServer(this.#config, {
      clock,
      log,
      newId: randomUUID,
      random: Math.random,
      strict: true,
    })
    const { endpoint, credentials } = this.#running
    const options = { endpoint: endpoint.http, region, credentials, maxAttempts: 1 }
    this.messaging = new ChimeSDKMessaging(options)
    this.identity = new ChimeSDKIdentity(options)
  }

  /** Stops the server and starts it anew on what it has left on disk. */
  async restart(): Promise<void> {
    await this.#stop()
    await this.start()
  }

  async close(): Promise<void> {
    await this.#stop()
    assert.deepEqual(this.#errors, [], 'the server has logged errors')
  }

  async #stop(): Promise<void> {
    this.messaging.destroy()
    this.identity.destroy()
    await this.#running.close()
  }

  /** A signed call in HTTP's own words; `target` is path and query, percent-encoded. */
  async call(method: string, target: string, { bearer, body = '' }: RawCall = {}): Promise<RawAnswer> {
    const { endpoint, credentials } = this.#running
    const headers = { host: new URL(endpoint.http).host, ...(bearer !== undefined && { 'x-amz-chime-bearer': bearer }) }
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const call = { method, target, headers, body: text }
    const signed = await sign(call, { credentials, region, signingDate: new Date(this.clock.now()) })
    const response = await fetch(endpoint.http + target, {
      method,
      headers: signed.headers,
      ...(text !== '' && { body: text }),
    })
    const answered = await response.text()
    return {
      status: response.status,
      type: response.headers.get('x-amzn-errortype'),
      body: answered === '' ? undefined : JSON.parse(answered),
    }
  }

  /** A messaging session of the user, established. */
  async session(userArn: string): Promise<SessionClient> {
    const { endpoint, credentials } = this.#running
    const { host } = new URL(endpoint.http)
    const target = `/connect?userArn=${encodeURIComponent(userArn)}&sessionId=${randomUUID()}`
    const signingDate = new Date(this.clock.now())
    const call = { method: 'GET', target, headers: { host } }
    const pairs = await presign(call, { credentials, region, signingDate, expiresInSeconds: 10 })
    const client = new SessionClient(`ws://${host}/connect?${new URLSearchParams(pairs.map((pair) => [...pair]))}`)
    assert.equal((await client.next()).eventType, 'SESSION_ESTABLISHED')
    return client
  }
}

interface Options {
  clock?: Clock
}

/** Starts a server that is stopped after the tests of the file. */
export async function startTestServer({ clock = systemClock }: Options = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-'))
  const processors = await Processors.open(join(folder, 'functions'))
  const server = new TestServer(folder, processors, clock)
  await server.start()
  after(async () => {
    await server.close()
    await processors.close()
    await rm(folder, { recursive: true })
  })
  return server
}
