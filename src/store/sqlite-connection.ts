import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { type Row, rowMaker } from './row-maker.ts'
import type { Writer } from './sqlite-changes.ts'
import { asStoreError, StoreBroken } from './sqlite-errors.ts'
import type { Reader, Value } from './store.ts'

/** One connection with its prepared statements, by their text. */
export class Connection implements Writer {
  readonly #path: string
  readonly #report: (error: unknown) => void
  readonly #database: DatabaseSync
  readonly #statements = new Map<string, Statement>()

  /** `report` receives each error that disk or file have caused, as the caller gets it. */
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

  /** One transaction. Rejects with StoreUnavailable if disk or file are the reason why it was rolled back. */
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
   * The reads as promises, which reject with StoreUnavailable if disk or file have caused the error. `report` receives it
   * as `report` of the constructor does.
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
    // SQLite has already rolled back by itself after some errors, a full disk among them.
    if (!this.#database.isTransaction) return
    try {
      this.exec('ROLLBACK')
    } catch (error) {
      // SQLite ends the transaction also where ROLLBACK reports an error. If it had not, every further write would fail.
      if (!this.#database.isTransaction) return
      const broken = new StoreBroken(`${this.#path}: a failed transaction could not be rolled back`, { cause: error })
      this.#report(broken)
      throw broken
    }
  }

  #prepare(sql: string): Statement {
    let statement = this.#statements.get(sql)
    if (!statement) {
      // node:sqlite takes $1 for a name, not for a position.
      statement = new Statement(this.#database.prepare(sql.replaceAll(/\$(\d+)/g, '?$1')))
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/** A prepared statement. node:sqlite gives its rows as arrays: the objects that it makes are slow (row-maker.ts). */
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

  /** SQLite prepares a statement anew when a table has changed: then it may have other columns. */
  #rowOf(values: Value[]): Row {
    if (values.length !== this.#columns) {
      this.#columns = values.length
      this.#make = rowMaker(this.#statement.columns().map(({ name }) => name))
    }
    return this.#make(values)
  }
}
