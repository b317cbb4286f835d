import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'

type Values = (string | number)[]

/** The store of a server, beside it or while it is stopped. The SQL is what both engines understand. */
export interface Record extends AsyncDisposable {
  run(sql: string, ...values: Values): Promise<void>
  all<Row>(sql: string, ...values: Values): Promise<Row[]>
  /** Tables that have a column of this name. */
  tablesWith(column: string): Promise<string[]>
}

export const openFile = (path: string): Record => new SqliteRecord(path)

export async function openDatabase(url: string): Promise<Record> {
  const client = new Client({ connectionString: url })
  await client.connect()
  return new PostgresRecord(client)
}

class SqliteRecord implements Record {
  readonly #database: DatabaseSync

  constructor(path: string) {
    this.#database = new DatabaseSync(path, { timeout: 30_000 })
    // What is filled in need not survive a crash.
    this.#database.exec('PRAGMA synchronous = OFF; PRAGMA cache_size = -524288')
  }

  async run(sql: string, ...values: Values): Promise<void> {
    this.#database.prepare(numbered(sql)).run(...values)
  }

  async all<Row>(sql: string, ...values: Values): Promise<Row[]> {
    return this.#database.prepare(numbered(sql)).all(...values) as Row[]
  }

  async tablesWith(column: string): Promise<string[]> {
    const sql = `SELECT m.name FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c ON c.name = $1 WHERE m.type = 'table'`
    return (await this.all<{ name: string }>(sql, column)).map(({ name }) => name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#database.close()
  }
}

class PostgresRecord implements Record {
  readonly #client: Client

  constructor(client: Client) {
    this.#client = client
  }

  async run(sql: string, ...values: Values): Promise<void> {
    await this.#client.query(sql, values)
  }

  /** The driver gives a BIGINT as text. */
  async all<Row>(sql: string, ...values: Values): Promise<Row[]> {
    const { rows } = await this.#client.query(sql, values)
    return rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, asNumber(value)])),
    ) as Row[]
  }

  async tablesWith(column: string): Promise<string[]> {
    const sql = `SELECT table_name AS name FROM information_schema.columns JOIN information_schema.tables
      USING (table_schema, table_name) WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND column_name = $1`
    return (await this.all<{ name: string }>(sql, column)).map(({ name }) => name)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client.end()
  }
}

const numbered = (sql: string) => sql.replaceAll(/\$(\d)/g, '?$1')

const asNumber = (value: unknown) => (typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : value)
