import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { type Config, readConfig } from '../../src/config.ts'
import type { Credentials } from '../../src/keys/key.ts'
import { type Clock, systemClock } from '../../src/runtime/clock.ts'
import { type Log, silentLog } from '../../src/runtime/log.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import type { Store } from '../../src/store/store.ts'
import { SessionClient } from '../session/session-client.ts'
import { withDecoyReads } from './decoy-reads.ts'
import { dropDatabase, freshDatabase } from './postgres-server.ts'
import { Processors } from './processors.ts'
import { presign, sign } from './smithy-signer.ts'

const region = 'us-east-1'

export const onPostgres = process.env.CARILLON_TEST_STORE === 'postgres'

/** A test that needs the SQLite file. It does not run on PostgreSQL. */
export const testOfSqlite: (name: string, body: () => Promise<void>) => void = onPostgres ? () => {} : test

/** A call that an SDK would not send, or a response that it would not show. */
interface RawCall {
  bearer?: string
  /** An object is sent as JSON, a text as it is. */
  body?: object | string
  /** Further headers, with their names in lower case. */
  headers?: Record<string, string>
  /** The key that signs the call, if not the root key. */
  credentials?: Credentials
}

interface RawAnswer {
  status: number
  /** The class of the SDK's exception. */
  type: string | null
  retryAfter: string | null
  // biome-ignore lint/suspicious/noExplicitAny: any JSON that an operation returns
  body: any
}

/** A real server on free ports, and AWS's own clients for it. An error in its log fails the test file. */
export class TestServer {
  readonly processors: Processors
  readonly clock: Clock
  /** Replaced by `restart`, because the server then listens on another port. */
  messaging!: ChimeSDKMessaging
  identity!: ChimeSDKIdentity
  readonly #folder: string
  readonly #flags: string[]
  readonly #options: Options
  #config: Config
  #running!: RunningServer
  #errors: object[] = []

  constructor(folder: string, processors: Processors, options: Options) {
    this.processors = processors
    this.#folder = folder
    this.clock = options.clock ?? systemClock
    const folders = ['--data-dir', join(folder, 'data'), '--functions', join(folder, 'functions')]
    this.#flags = [
      ...folders,
      '--account',
      '111122223333',
      '--http-port',
      '0',
      '--https-port',
      '0',
      '--admin-port',
      'off',
    ]
    this.#options = options
    this.#config = this.#configWith(options.flags)
  }

  get endpoint() {
    return this.#running.endpoint
  }

  get credentials() {
    return this.#running.credentials
  }

  get dataDir() {
    return this.#config.dataDir
  }

  get functions() {
    return this.#running.functions
  }

  /** The token of a new link to the console. */
  async consoleToken(): Promise<string> {
    const link = await this.#running.consoleLink()
    return new URL(link ?? assert.fail('the server gives no link')).hash.replace('#token=', '')
  }

  /**
   * On SQLite, or with CARILLON_TEST_STORE=postgres on a fresh database, and on NATS if CARILLON_TEST_NATS_URL is
   * given.
   */
  async start(): Promise<void> {
    if (onPostgres && this.#config.databaseUrl === undefined) {
      const servers = process.env.CARILLON_TEST_NATS_URL
      this.#config = {
        ...this.#config,
        databaseUrl: await freshDatabase(),
        nats: servers ? { servers: [servers] } : undefined,
      }
    }
    const error = (fields: object, text: string) => void this.#errors.push({ text, ...fields })
    const log = { ...silentLog, ...this.#options.log, error }
    const { clock } = this
    const { aroundStore = (store) => store, keySeconds, withPages, pagesRoot = this.#folder } = this.#options
    this.#running = await startServer(this.#config, {
      clock,
      log,
      newId: randomUUID,
      random: Math.random,
      strict: true,
      ...(keySeconds !== undefined && { keySeconds }),
      ...(!withPages && { pagesRoot }),
      aroundStore: (store) => aroundStore(onPostgres ? withDecoyReads(store) : store),
    })
    const { endpoint, credentials } = this.#running
    const options = { endpoint: endpoint.http, region, credentials, maxAttempts: 1 }
    this.messaging = new ChimeSDKMessaging(options)
    this.identity = new ChimeSDKIdentity(options)
  }

  /** Restarts the server on its data on disk, with other flags if they are given. */
  async restart(flags?: string[]): Promise<void> {
    await this.#stop()
    const { databaseUrl, nats } = this.#config
    if (flags) this.#config = { ...this.#configWith(flags), databaseUrl, nats }
    await this.start()
  }

  #configWith(flags: string[] = []): Config {
    return readConfig([...this.#flags, ...flags], this.#options.environment ?? {}, () => '').config
  }

  /** The errors that the server has logged so far, for a test that provokes them. */
  takeErrors(): object[] {
    return this.#errors.splice(0)
  }

  async close(): Promise<void> {
    await this.#stop()
    if (this.#config.databaseUrl !== undefined) await dropDatabase(this.#config.databaseUrl)
    assert.deepEqual(this.#errors, [], 'the server has logged errors')
  }

  async #stop(): Promise<void> {
    this.messaging.destroy()
    this.identity.destroy()
    await this.#running.close()
  }

  /** Sends a signed call as raw HTTP; `target` is path and query, percent-encoded. */
  async call(method: string, target: string, call: RawCall = {}): Promise<RawAnswer> {
    const { bearer, body = '', headers, credentials = this.credentials } = call
    const { host, origin } = new URL(this.endpoint.http)
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const bearing = bearer === undefined ? {} : { 'x-amz-chime-bearer': bearer }
    const unsigned = { method, target, headers: { host, ...bearing, ...headers }, body: text }
    const signed = await sign(unsigned, { credentials, region, signingDate: new Date(this.clock.now()) })
    const response = await fetch(origin + target, {
      method,
      headers: signed.headers,
      ...(text !== '' && { body: text }),
    })
    const answered = await response.text()
    return {
      status: response.status,
      type: response.headers.get('x-amzn-errortype'),
      retryAfter: response.headers.get('retry-after'),
      body: answered === '' ? undefined : JSON.parse(answered),
    }
  }

  /** Creates an access key by the operation CreateKey, with this input. */
  async createKey(input: object): Promise<Credentials> {
    const { status, body } = await this.call('POST', '/carillon/v1/keys', { body: input })
    assert.equal(status, 201, JSON.stringify(body))
    return { accessKeyId: body.AccessKeyId, secretAccessKey: body.SecretAccessKey }
  }

  /** A messaging session of the user, established. */
  async session(userArn: string): Promise<SessionClient> {
    const client = await this.connect(userArn)
    assert.equal((await client.next()).eventType, 'SESSION_ESTABLISHED')
    return client
  }

  /** Opens the same session without waiting until it is established or rejected. */
  async connect(userArn: string, credentials = this.credentials): Promise<SessionClient> {
    const { host } = new URL(this.endpoint.http)
    const target = `/connect?userArn=${encodeURIComponent(userArn)}&sessionId=${randomUUID()}`
    const signingDate = new Date(this.clock.now())
    const call = { method: 'GET', target, headers: { host } }
    const pairs = await presign(call, { credentials, region, signingDate, expiresInSeconds: 10 })
    return new SessionClient(`ws://${host}/connect?${new URLSearchParams(pairs.map((pair) => [...pair]))}`)
  }
}

interface Options {
  clock?: Clock
  /** The log for everything but errors. */
  log?: Partial<Log>
  /** Flags of `carillon serve`, besides those of every test server. */
  flags?: string[]
  /** Settings that have no flag. */
  environment?: Record<string, string>
  /** How many seconds the temporary keys of STS live. */
  keySeconds?: number
  /** With the pages of the console, which the server builds first if that is necessary. */
  withPages?: boolean
  /** The folder with other pages in their place. */
  pagesRoot?: string
  /** Wraps the server's store. */
  aroundStore?(store: Store): Store
}

/** Starts a server that is stopped after the tests of the file. */
export async function startTestServer(options: Options = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-'))
  const processors = await Processors.open(join(folder, 'functions'))
  const server = new TestServer(folder, processors, options)
  await server.start()
  after(async () => {
    try {
      await server.close()
    } finally {
      // Else a failure would keep the test file from ending.
      await processors.close()
      await rm(folder, { recursive: true })
    }
  })
  return server
}
