import { readFileSync } from 'node:fs'
import { Client, type ClientConfig, Pool, type PoolClient, type QueryResult, types } from 'pg'
import { OutcomeUnknown, StoreUnavailable, type Value } from './store.ts'

/** Time limit for a new connection, and for the wait for a free one. */
const connectMsMax = 5_000
/** The server cancels a statement after this time. */
const statementMsMax = 10_000
/** Time limit for a response. After it the connection counts as dead. */
const answerMsMax = statementMsMax + 5_000
/** Maximum of callers that wait for a connection of one kind. A further one gets StoreUnavailable, and can retry. */
const waitingMax = 1_000
/** Limit for the locks of a node that freezes in a transaction. It is shorter than the node's lease. */
const idleInTransactionMsMax = 2_000

/** The time after an unknown outcome by which the server has executed the statement, or never will. */
export const outcomeMsMax = answerMsMax

type Connection = Required<Pick<ClientConfig, 'host' | 'port' | 'user' | 'password' | 'database'>> &
  Pick<ClientConfig, 'ssl' | 'application_name'>

const knownParameters = ['sslmode', 'sslrootcert', 'sslcert', 'sslkey', 'application_name']
const sslModes = ['disable', 'require', 'verify-ca', 'verify-full']

/**
 * `postgres://user:password@host:port/database?sslmode=verify-full&sslrootcert=FILE`, with the parameters of libpq. Its
 * errors never contain the URL, because it has the password.
 */
export function readDatabaseUrl(text: string): Connection {
  const authority = /^postgres(?:ql)?:\/\/([^/?#]*)/.exec(text)?.[1] ?? ''
  if (authority.slice(authority.lastIndexOf('@') + 1).includes(',')) {
    throw new Error('the database URL names several hosts: name one, which leads to whichever server takes writes')
  }
  if (!URL.canParse(text) || !/^postgres(ql)?:$/.test(new URL(text).protocol)) {
    throw new Error('the database URL should be like postgres://user:password@host:5432/database?sslmode=verify-full')
  }
  const url = new URL(text)
  if (url.pathname.includes('@')) {
    throw new Error('the database URL has an @ behind the host: write / and @ of a password as %2F and %40')
  }
  const database = decodeURIComponent(url.pathname.slice(1))
  const user = decodeURIComponent(url.username)
  if (!url.hostname || !user || !database) throw new Error('the database URL should name a user, a host and a database')
  const unknown = [...url.searchParams.keys()].find((name) => !knownParameters.includes(name))
  if (unknown) throw new Error(`the database URL has the parameter ${unknown}: known are ${knownParameters.join(', ')}`)
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return {
    host,
    port: Number(url.port || 5432),
    user,
    password: decodeURIComponent(url.password),
    database,
    ssl: readTls(url.searchParams, host),
    application_name: url.searchParams.get('application_name') ?? 'carillon',
  }
}

function readTls(parameters: URLSearchParams, host: string): Exclude<ClientConfig['ssl'], undefined> {
  const mode = parameters.get('sslmode') ?? 'disable'
  if (!sslModes.includes(mode)) throw new Error(`sslmode is ${mode}, but should be one of ${sslModes.join(', ')}`)
  if (mode === 'disable') return false
  const file = (name: string) => {
    const path = parameters.get(name)
    if (path === null || path === 'system') return undefined
    try {
      return readFileSync(path, 'utf8')
    } catch (error) {
      throw new Error(`${name} of the database URL cannot be read: ${(error as Error).message}`)
    }
  }
  const [ca, cert, key] = [file('sslrootcert'), file('sslcert'), file('sslkey')]
  return {
    // Without it, the certificate would be checked for "localhost" instead of an IP address.
    host,
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    rejectUnauthorized: mode !== 'require',
    ...(mode === 'verify-ca' && { checkServerIdentity: () => undefined }),
  }
}

/**
 * Parses 64-bit integers as numbers, for these connections only: times, counts and numbers of a log are far below 2^53.
 */
const int8 = 20
const parsers: ClientConfig['types'] = {
  getTypeParser: (id, format) => (id === int8 ? Number : types.getTypeParser(id, format as 'text')),
}

/**
 * For connections whose statements are all prepared and look rows up by an index. Each statement is planned once. That may
 * happen while its tables are nearly empty, and the plan is still used a minute later, when they are large: by default the
 * planner would choose to scan a small table. It might also plan a statement again for each call: 3 ms for the three
 * rows of a callback, which are found in 0.1 ms.
 */
export const plansOnce = [
  'plan_cache_mode=force_generic_plan',
  'enable_seqscan=off',
  'enable_hashjoin=off',
  'enable_mergejoin=off',
  'jit=off',
]

/** Overrides the default of the database: guards are row locks, and other transactions set SERIALIZABLE themselves. */
const isolation = 'default_transaction_isolation=read\\ committed'

const settingsOf = (connection: Connection, planning: readonly string[] = []): ClientConfig => ({
  ...connection,
  types: parsers,
  keepAlive: true,
  connectionTimeoutMillis: connectMsMax,
  statement_timeout: statementMsMax,
  query_timeout: answerMsMax,
  idle_in_transaction_session_timeout: idleInTransactionMsMax,
  options: [isolation, ...planning].map((setting) => `-c ${setting}`).join(' '),
})

/** A pool of at most `max` connections, opened on demand. `onIdleError` receives the errors of idle ones. */
export class Connections {
  #pool: Pool
  #clients = new Set<PoolClient>()
  /** Rejects when `abandon` is called. */
  #abandoned = Promise.withResolvers<never>()

  constructor(connection: Connection, max: number, onIdleError: (error: Error) => void, planning?: typeof plansOnce) {
    this.#pool = new Pool({ ...settingsOf(connection, planning), max, idleTimeoutMillis: 60_000 })
    this.#pool.on('error', onIdleError)
    this.#abandoned.promise.catch(() => {})
    this.#pool.on('connect', (client) => {
      this.#clients.add(client)
      // An error of a lent connection is reported by the statement in flight, or by the next one.
      client.on('error', () => {})
    })
    this.#pool.on('remove', (client) => this.#clients.delete(client))
  }

  /** Lends a connection to `work`; a connection with an error that is not the statement's fault is closed. */
  async lend<T>(work: (client: PoolClient) => Promise<T>): Promise<T> {
    if (this.#pool.waitingCount >= waitingMax) {
      throw new StoreUnavailable(`${waitingMax} callers are waiting for a connection to the database`)
    }
    const client = await this.#connect()
    let broken = false
    try {
      return await work(client)
    } catch (error) {
      broken = isLost(error) || isOutdated(error) || error instanceof OutcomeUnknown
      throw error
    } finally {
      client.release(broken)
    }
  }

  /** Closing a connection waits for a response of the server, except after `abandon`. */
  async close(): Promise<void> {
    await Promise.race([this.#pool.end(), this.#abandoned.promise.catch(() => {})])
  }

  /** Rejects all waits for connections and responses. */
  abandon(): void {
    this.#abandoned.reject(new StoreUnavailable('the server stops, and the database does not answer'))
    // If a query is in flight, pg closes the connection at once.
    for (const client of this.#clients) void (client as PoolClient & { end(): Promise<void> }).end().catch(() => {})
  }

  async #connect(): Promise<PoolClient> {
    const connecting = this.#pool.connect()
    try {
      return await Promise.race([connecting, this.#abandoned.promise])
    } catch (error) {
      void connecting.then((client) => client.release(true)).catch(() => {})
      throw isPassing(error) || isLost(error) ? new StoreUnavailable(reasonOf(error), { cause: error }) : error
    }
  }
}

/** A separate connection without the time limits of statements, for migrations. */
export async function connectAlone(connection: Connection): Promise<Client> {
  const { query_timeout: _, statement_timeout: __, ...settings } = settingsOf(connection)
  const client = new Client(settings)
  client.on('error', () => {})
  await client.connect()
  return client
}

/**
 * PostgreSQL's text type has no NUL. Texts of callers are stored as JSON, and no stored name or ARN has a NUL: a search for
 * one finds nothing, with the replacement as well.
 */
export const withoutNul = <T>(value: T): T | string =>
  typeof value === 'string' ? value.replaceAll('\0', '\ufffd') : value

/** A statement with a name is prepared once for each connection; without a name it is not prepared. */
export interface Prepared {
  name: string | undefined
  text: string
}

export const ask = (client: PoolClient, { name, text }: Prepared, values: unknown[]): Promise<QueryResult> =>
  client.query(name === undefined ? { text, values } : { name, text, values })

/** The same with each row as an array. */
export const askForArrays = (client: PoolClient, { name, text }: Prepared, values: unknown[]) =>
  client.query<Value[]>({ text, values, rowMode: 'array', ...(name !== undefined && { name }) })

const codeOf = (error: unknown): string => String((error as { code?: unknown } | undefined)?.code ?? '')

/** 40001 serialization_failure, 40P01 deadlock_detected: nothing was written, and an immediate retry may succeed. */
export const isConflict = (error: unknown): boolean => ['40001', '40P01'].includes(codeOf(error))
export const isDuplicate = (error: unknown): boolean => codeOf(error) === '23505'

/**
 * A table was changed, as a newer Carillon does while older nodes still run: a statement that this connection has prepared
 * would return other columns now, which PostgreSQL rejects.
 */
export const isOutdated = (error: unknown): boolean =>
  codeOf(error) === '0A000' && (error as Error).message.includes('cached plan')

/**
 * Temporary failures, which the server has rolled back: 53 out of memory, disk or connections; 55P03 lock timeout; 57014
 * statement timeout; 25006 the server is a standby.
 */
const passing = /^(53...|55P03|57014|25006)$/

/**
 * The connection is lost: 08 connection exceptions, 57P01 to 57P05 the server has closed it, 25P03 it was idle for too
 * long. Also Node's codes, and pg's errors that have a text and no code.
 */
const lost = /^(08...|57P0[1-5]|25P0[34]|E(?!RR_)[A-Z_]{4,})$/
const lostTexts =
  /^(Connection terminated|timeout exceeded when trying|timeout expired|Query read timeout|Client (has|was) )/

const isPassing = (error: unknown): boolean => passing.test(codeOf(error)) || error instanceof StoreUnavailable

export const isLost = (error: unknown): boolean =>
  !(error instanceof StoreUnavailable) &&
  (lost.test(codeOf(error)) || lostTexts.test((error as Error | undefined)?.message ?? ''))

/** A code, or the text of pg's error: neither contains a password. */
function reasonOf(error: unknown): string {
  const reason = codeOf(error) || (error as Error).message
  if (isConflict(error)) return `others wrote the same at the same time, again and again (${reason})`
  return isPassing(error) ? `the database cannot do it now (${reason})` : `the database is not there (${reason})`
}

/** Distinguishes errors that may pass soon from broken connections and bugs. Nothing was written. */
export function unavailable(error: unknown): unknown {
  if (error instanceof StoreUnavailable || !(isPassing(error) || isLost(error) || isConflict(error))) return error
  return new StoreUnavailable(reasonOf(error), { cause: error })
}

const makeRole = (user: string) =>
  `correct the user and the password in the URL, or make the role: CREATE ROLE ${user} LOGIN PASSWORD '…'`

/** The remedies for the operator, by PostgreSQL's code. */
const remedies: Record<string, (user: string, database: string) => string> = {
  '28000': makeRole,
  '28P01': makeRole,
  '3D000': (user, database) => `correct the URL, or make the database: CREATE DATABASE ${database} OWNER ${user}`,
  '42501': (user, database) => `GRANT CONNECT ON DATABASE ${database} TO ${user}`,
}

/** An error for the operator: the database, the problem, and the remedy. */
export function notOpened({ host, port, user, database }: Connection, cause: unknown): Error {
  const what = `PostgreSQL at ${host}:${port}/${database} cannot be used: ${(cause as Error).message}`
  const remedy = remedies[codeOf(cause)]?.(String(user), String(database))
  const text = remedy === undefined ? what : `${what}: ${remedy} (docs/operations.md says which role it needs)`
  return cause instanceof StoreUnavailable ? new StoreUnavailable(text, { cause }) : new Error(text, { cause })
}

export const outcomeUnknown = (error: unknown): OutcomeUnknown => new OutcomeUnknown(reasonOf(error), { cause: error })
