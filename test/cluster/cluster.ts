import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdir } from 'node:fs/promises'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'
import type { Credentials } from '../../src/keys/key.ts'
import { storeFile } from '../../src/open-store.ts'
import { NatsServer } from '../support/nats-server.ts'
import { PostgresServer } from '../support/postgres-server.ts'
import { startBalancer } from './balancer.ts'
import { NodeProcess } from './node-process.ts'

export interface ClusterOptions {
  folder: string
  functions: string
  /** One node keeps SQLite and the memory bus; several share a PostgreSQL and a NATS. */
  nodes: number
}

interface Place {
  node: NodeProcess
  port: number
  adminPort: number
}

type Parts = Pick<Cluster, 'url' | 'credentials' | 'postgres' | 'nats'> & { databaseUrl: string | undefined }

/** Several nodes behind a balancer, on a PostgreSQL and a NATS of their own; all of them processes. */
export class Cluster {
  readonly nodes: NodeProcess[]
  /** The URLs of the nodes' admin ports. */
  readonly adminUrls: string[]
  /** Where clients call. */
  readonly url: string
  readonly region = 'us-east-1'
  readonly credentials: Credentials
  readonly postgres: PostgresServer | undefined
  readonly nats: NatsServer | undefined
  readonly #folder: string
  readonly #databaseUrl: string | undefined
  #stopBalancer: () => Promise<void> = async () => {}

  private constructor(folder: string, places: Place[], parts: Parts) {
    this.#folder = folder
    this.#databaseUrl = parts.databaseUrl
    this.nodes = places.map(({ node }) => node)
    this.adminUrls = places.map(({ adminPort }) => `http://127.0.0.1:${adminPort}`)
    this.url = parts.url
    this.credentials = parts.credentials
    this.postgres = parts.postgres
    this.nats = parts.nats
  }

  static async start({ folder, functions, nodes }: ClusterOptions): Promise<Cluster> {
    const shared = nodes > 1
    const nats = shared ? new NatsServer() : undefined
    await nats?.start()
    const postgres = shared ? await PostgresServer.start() : undefined
    const databaseUrl = await postgres?.createDatabase()
    const balancerPort = await freePort()
    const credentials = { accessKeyId: 'AKIAFAULTRUNFAULTRUN', secretAccessKey: `secret-${randomInt(2 ** 40)}-secret` }
    const environment = {
      CARILLON_TLS: 'off',
      CARILLON_PUBLIC_HOST: `127.0.0.1:${balancerPort}`,
      CARILLON_ACCESS_KEY_ID: credentials.accessKeyId,
      CARILLON_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      ...(databaseUrl && { CARILLON_DATABASE_URL: databaseUrl }),
      ...(nats && { CARILLON_NATS_URL: nats.url }),
    }
    const places: Place[] = []
    for (let index = 0; index < nodes; index++) {
      const name = `node-${index + 1}`
      const [port, adminPort] = [await freePort(), await freePort()]
      const flags = ['--http-port', String(port), '--functions', functions]
      const own = { ...environment, CARILLON_ADMIN_PORT: String(adminPort) }
      await mkdir(join(folder, name), { recursive: true })
      places.push({ node: new NodeProcess({ folder, name, flags, environment: own }), port, adminPort })
    }
    const url = `http://127.0.0.1:${balancerPort}`
    const cluster = new Cluster(folder, places, { url, credentials, postgres, nats, databaseUrl })
    try {
      await cluster.#startNodes(balancerPort, places)
    } catch (error) {
      await cluster.close()
      throw error
    }
    return cluster
  }

  /** One after the other, as a rolling start does; the first makes the schema. */
  async #startNodes(balancerPort: number, places: Place[]): Promise<void> {
    for (const { node } of places) await node.start()
    const balanced = places.map(({ node, port, adminPort }) => ({ name: node.name, port, adminPort }))
    this.#stopBalancer = await startBalancer(this.#folder, balancerPort, balanced)
  }

  /** The rows that it answers, as they lie in the store now. */
  async rows<Row>(sql: string): Promise<Row[]> {
    const connectionString = this.#databaseUrl
    if (connectionString === undefined) {
      const database = new DatabaseSync(join(this.#folder, 'node-1', storeFile), { readOnly: true })
      const rows = database.prepare(sql).all() as Row[]
      database.close()
      return rows
    }
    const client = new Client({ connectionString, connectionTimeoutMillis: 10_000 })
    await client.connect()
    try {
      return (await client.query(sql)).rows as Row[]
    } finally {
      await client.end()
    }
  }

  async close(): Promise<void> {
    await this.#stopBalancer()
    for (const node of this.nodes) await node.kill()
    await this.nats?.close()
    await this.postgres?.stop()
  }
}

/** Below the ports of outgoing connections, one of which could otherwise have it when its server comes back. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 20; tries++) {
    const port = randomInt(10_000, 32_000)
    const server = createServer().listen(port, '127.0.0.1')
    const listens = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (!listens) continue
    server.close()
    await once(server, 'close')
    return port
  }
  throw new Error('20 ports were all in use')
}
