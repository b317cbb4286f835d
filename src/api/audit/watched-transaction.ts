import type { Columns, Transaction, Value } from '../../store/store.ts'

/** A transaction that knows whether it has changed a row. */
export class WatchedTransaction implements Transaction {
  readonly #transaction: Transaction
  hasChanged = false

  constructor(transaction: Transaction) {
    this.#transaction = transaction
  }

  get<Row>(sql: string, ...values: Value[]): Promise<Row | undefined> {
    return this.#transaction.get<Row>(sql, ...values)
  }

  all<Row>(sql: string, ...values: Value[]): Promise<Row[]> {
    return this.#transaction.all<Row>(sql, ...values)
  }

  insert<Row extends Columns<Row>>(table: string, row: Row): Promise<void> {
    this.hasChanged = true
    return this.#transaction.insert(table, row)
  }

  async insertOnce<Row extends Columns<Row>>(table: string, row: Row): Promise<boolean> {
    const inserted = await this.#transaction.insertOnce(table, row)
    if (inserted) this.hasChanged = true
    return inserted
  }

  async run(sql: string, ...values: Value[]): Promise<number> {
    const changed = await this.#transaction.run(sql, ...values)
    if (changed > 0) this.hasChanged = true
    return changed
  }

  append(event: Parameters<Transaction['append']>[0]) {
    this.hasChanged = true
    return this.#transaction.append(event)
  }

  async decide(changes: Parameters<Transaction['decide']>[0]) {
    const outcomes = await this.#transaction.decide(changes)
    if (outcomes.some(({ result }) => result === 'decided')) this.hasChanged = true
    return outcomes
  }

  endStep(run: Parameters<Transaction['endStep']>[0], now: number) {
    this.hasChanged = true
    return this.#transaction.endStep(run, now)
  }

  erasesText(): void {
    this.#transaction.erasesText()
  }
}
