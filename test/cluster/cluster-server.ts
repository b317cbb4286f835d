import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import type { WireRelease } from '../../src/bus/nats-wire.ts'
import { readConfig } from '../../src/config.ts'
import type { Credentials } from '../../src/keys/key.ts'
import { FollowingClock, systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import { SessionClient } from '../session/session-client.ts'
import { Processors } from '../support/processors.ts'
import { presign } from '../support/smithy-signer.ts'

const region = 'us-east-1'

interface Logged {
  level: 'warn' | 'error'
  text: string
}

interface NodeOptions {
  /** The folder of its functions. */
  functions?: string
  /** What it publishes looks like messages of another release. */
  wireRelease?: WireRelease | undefined
}

/** What `/readyz` answers. */
interface Readiness {
  status: number
  checks: Record<string, string>
}

/** One node of several in this process, on the clock of their database, and AWS's own clients for it. */
export class ClusterServer {
  readonly #running: RunningServer
  readonly logged: Logged[]
  readonly messaging: ChimeSDKMessaging
  readonly identity: ChimeSDKIdentity
  #closing: Promise<void> | undefined

  constructor(running: RunningServer, logged: Logged[]) {
    this.#running = running
    this.logged = logged
    this.messaging = this.messagingWith(running.credentials)
    this.identity = new ChimeSDKIdentity(this.#options(running.credentials))
  }

  get endpoint() {
    return this.#running.endpoint
  }

  get credentials() {
    return this.#running.credentials
  }

  /** The token of a new link to the console. */
  async consoleToken(): Promise<string> {
    const link = await this.#running.consoleLink()
    return new URL(link ?? assert.fail('the node gives no link')).hash.replace('#token=', '')
  }

  /** A client that signs with this key pair. One answer is what the test sees, so it never tries again. */
  messagingWith(credentials: Credentials): ChimeSDKMessaging {
    return new ChimeSDKMessaging(this.#options(credentials))
  }

  #options(credentials: Credentials) {
    return { endpoint: this.endpoint.http, region, credentials, maxAttempts: 1 }
  }

  async readiness(): Promise<Readiness> {
    const response = await fetch(`${this.endpoint.admin}/readyz`)
    const { checks } = (await response.json()) as { checks: Record<string, string> }
    return { status: response.status, checks }
  }

  /** A messaging session of the user, established. */
  async session(userArn: string): Promise<SessionClient> {
    const client = await this.connect(userArn)
    assert.equal((await client.next()).eventType, 'SESSION_ESTABLISHED')
    return client
  }

  /** The same as it comes to be, or as it is refused. */
  async connect(userArn: string, credentials = this.credentials): Promise<SessionClient> {
    const { host } = new URL(this.endpoint.http)
    const target = `/connect?userArn=${encodeURIComponent(userArn)}&sessionId=${randomUUID()}`
    const call = { method: 'GET', target, headers: { host } }
    const pairs = await presign(call, { credentials, region, signingDate: new Date(), expiresInSeconds: 60 })
    return new SessionClient(`ws://${host}/connect?${new URLSearchParams(pairs.map((pair) => [...pair]))}`)
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.messaging.destroy()
    this.identity.destroy()
    await this.#running.close()
  }
}

/** Nodes that share a database and the folder of their functions. They are closed before what is started after this. */
export class ClusterStage {
  readonly processors: Processors
  readonly #folder: string
  readonly #databaseUrl: string
  readonly #nodes: ClusterServer[] = []

  private constructor(folder: string, processors: Processors, databaseUrl: string) {
    this.#folder = folder
    this.processors = processors
    this.#databaseUrl = databaseUrl
  }

  static async set(context: TestContext, databaseUrl: string): Promise<ClusterStage> {
    const folder = await mkdtemp(join(tmpdir(), 'carillon-cluster-'))
    const processors = await Processors.open(join(folder, 'functions'))
    const stage = new ClusterStage(folder, processors, databaseUrl)
    context.after(() => stage.#clear())
    return stage
  }

  /** Each node has a data folder of its own. An error in its log fails the test. Without NATS there can be one alone. */
  async start(natsUrl?: string, { functions = 'functions', wireRelease }: NodeOptions = {}): Promise<ClusterServer> {
    const flags = ['--data-dir', join(this.#folder, randomUUID()), '--functions', join(this.#folder, functions)]
    const ports = ['--http-port', '0', '--https-port', '0', '--admin-port', '0']
    const environment = { CARILLON_DATABASE_URL: this.#databaseUrl, ...(natsUrl && { CARILLON_NATS_URL: natsUrl }) }
    const { config } = readConfig([...flags, ...ports], environment, () => '')
    const logged: Logged[] = []
    const log = {
      ...silentLog,
      warn: (_: object, text: string) => void logged.push({ level: 'warn', text }),
      error: (fields: object, text: string) => void logged.push({ level: 'error', text, ...fields }),
    }
    const clock = new FollowingClock(systemClock)
    const world = { clock, log, newId: randomUUID, random: Math.random, strict: true, wireRelease }
    const node = new ClusterServer(await startServer(config, world), logged)
    this.#nodes.push(node)
    return node
  }

  /** A node that cannot read the folder of its functions. */
  async startInTrouble(natsUrl: string): Promise<ClusterServer> {
    await symlink('loop', join(this.#folder, 'loop'))
    return this.start(natsUrl, { functions: 'loop' })
  }

  startTwo(natsUrl: string): Promise<[ClusterServer, ClusterServer]> {
    return Promise.all([this.start(natsUrl), this.start(natsUrl)])
  }

  async #clear(): Promise<void> {
    const closed = await Promise.allSettled(this.#nodes.map((node) => node.close()))
    await this.processors.close()
    await rm(this.#folder, { recursive: true, force: true })
    for (const one of closed) if (one.status === 'rejected') throw one.reason
    const errors = this.#nodes.flatMap(({ logged }) => logged.filter(({ level }) => level === 'error'))
    assert.deepEqual(errors, [], 'a node has logged errors')
  }
}

/** What the session is told next, each as its type and its text, if it has one. */
export async function heard(session: SessionClient, count: number): Promise<string[]> {
  const told: string[] = []
  while (told.length < count) {
    const { eventType, payload } = await session.next()
    const { Content } = (payload ?? {}) as { Content?: string }
    told.push(Content === undefined ? eventType : `${eventType} ${Content}`)
  }
  return told
}

/** The same with the messages' ids: of a text that is gone by the time it is read back, a session is told without it. */
export async function heardOf(session: SessionClient, count: number): Promise<string[]> {
  const told: string[] = []
  while (told.length < count) {
    const { eventType, payload } = await session.next()
    told.push(`${eventType} of ${(payload as { MessageId: string }).MessageId}`)
  }
  return told
}

/** Whatever the node has sent to this session by now has arrived when this resolves: the pong comes behind it. */
export async function arrived({ webSocket }: SessionClient): Promise<void> {
  const pong = once(webSocket, 'pong')
  webSocket.ping()
  await pong
}
