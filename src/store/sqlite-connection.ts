import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { type Row, rowMaker } from './row-maker.ts'
import type { Writer } from './sqlite-changes.ts'
import { asStoreError, StoreBroken } from './sqlite-errors.ts'
import type { Reader, Value } from './store.ts'

/** A connection and its cache of prepared statements, by text. */
export class Connection implements Writer {
  readonly #path: string
  readonly #report: (error: unknown) => void
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, Statement>()

  /** `report` receives each error that the disk or the file has caused, in the form that the caller receives. */
  constructor(path: string, options: { readOnly: boolean; report(error: unknown): void }) {
    this.#path = path
    this.#report = options.report
    this.#database = new DatabaseSync(path, { readOnly: options.readOnly })
  }

  get<Row>(sql: string, ...values: Value[]): Row | undefined {
    return this.#prepare(sql).get(values) as Row | undefined
  }

  all<Row>(sql: string, ...values: Value[]): Row[] {
    return this.#prepare(sql).all(values) as Row[]
  }

  run(sql: string, ...values: Value[]): number {
    return this.#prepare(sql).run(values)
  }

  exec(sql: string): void {
    this.#database.exec(sql)
  }

  /** Inserted, changed and deleted. */
  get rowsWritten(): number {
    return this.get<{ count: number }>('SELECT total_changes() AS count')?.count ?? 0
  }

  /** One transaction. Rejects with StoreUnavailable if it was rolled back because of the disk or the file. */
  async within<T>(work: () => Promise<T>): Promise<T> {
    let during: 'statement' | 'commit' = 'statement'
    try {
      this.exec('BEGIN IMMEDIATE')
      const result = await work()
      during = 'commit'
      this.exec('COMMIT')
      return result
    } catch (error) {
      this.#rollBack()
      throw this.#asStoreError(error, during)
    }
  }

  get isTransaction(): boolean {
    return this.#database.isTransaction
  }

  /**
   * Reads that return promises, which reject with StoreUnavailable if the disk or the file has caused the error. `report`:
   * as in the constructor.
   */
  reader(report = this.#report): Reader {
    return {
      get: async <Row>(sql: string, ...values: Value[]) => this.#read(() => this.get<Row>(sql, ...values), report),
      all: async <Row>(sql: string, ...values: Value[]) => this.#read(() => this.all<Row>(sql, ...values), report),
    }
  }

  close(): void {
    this.#database.close()
  }

  #read<T>(read: () => T, report: (error: unknown) => void): T {
    try {
      return read()
    } catch (error) {
      throw this.#asStoreError(error, 'statement', report)
    }
  }

  #asStoreError(error: unknown, during: 'statement' | 'commit', report = this.#report): unknown {
    const storeError = asStoreError(this.#path, error, during)
    if (storeError !== error) report(storeError)
    return storeError
  }

  #rollBack(): void {
    // After some errors, such as a full disk, SQLite has already rolled back.
    if (!this.#database.isTransaction) return
    try {
      this.exec('ROLLBACK')
    } catch (error) {
      // SQLite ends the transaction even if ROLLBACK reports an error. Otherwise every further write would fail.
      if (!this.#database.isTransaction) return
      const broken = new StoreBroken(`${this.#path}: a failed transaction could not be rolled back`, { cause: error })
      this.#report(broken)
      throw broken
    }
  }

  #prepare(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (!statement) {
      // node:sqlite treats $1 as a name, not as a position.
      statement = new Statement(this.#database.prepare(sql.replaceAll(/\$(\d+)/g, '?$1')))
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/** A prepared statement. node:sqlite returns its rows as arrays: its own objects are slow (row-maker.ts). */
class Statement {
  readonly #statement: StatementSync
  #columns = 0
  #make: (values: Value[]) => Row = () => ({})

  constructor(statement: StatementSync) {
    this.#statement = statement
    statement.setReturnArrays(true)
  }

  get(values: Value[]): Row | undefined {
    const row = this.#statement.get(...values) as Value[] | undefined
    return row && this.#rowOf(row)
  }

  all(values: Value[]): Row[] {
    const rows = this.#statement.all(...values) as unknown as Value[][]
    return rows.map((row) => this.#rowOf(row))
  }

  run(values: Value[]): number {
    return Number(this.#statement.run(...values).changes)
  }

  /** SQLite prepares a statement again after a change of a table: then it may have other columns. */
  #rowOf(values: Value[]): Row {
    if (values.length !== this.#columns) {
      this.#columns = values.length
      this.#make = rowMaker(this.#statement.columns().map(({ name }) => name))
    }
    return this.#make(values)
  }
}
