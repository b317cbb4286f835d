import type { Value } from './store.ts'
import type { MessageRow, RunRow, StepRow, TokenRow } from './tables.ts'

/*
 * Each hot write is one element of a JSON array, and PostgreSQL reads the array as a table. The element is flat: PostgreSQL
 * would parse a row in a member twice, which takes twice as long (16 elements of 60 columns: 1,260 µs instead of 640). One
 * array for each column costs as much as the nested JSON, and ten times as much for one element.
 */

type NumberOf<Row> = { [Column in keyof Row]: number extends Row[Column] ? Column : never }[keyof Row]

/** The numeric columns. All others are text. */
const numbers: Record<NumberOf<MessageRow> | NumberOf<RunRow> | NumberOf<StepRow> | NumberOf<TokenRow>, true> = {
  channel_id: true,
  seq: true,
  revision: true,
  sender_id: true,
  target_id: true,
  redacted: true,
  created_at: true,
  edited_at: true,
  updated_at: true,
  deadline_ms: true,
  ended_at: true,
  position: true,
  tries: true,
  attempts: true,
  rejected_callbacks: true,
  due_at: true,
  deadline_at: true,
  handed_off_at: true,
  decided_at: true,
  shard: true,
  expires_at: true,
}

/** Text that is compared byte by byte, as in the tables. */
export const text = 'TEXT COLLATE "C"'

/** The columns of one table as members of an element. The prefix distinguishes them from the columns of other tables. */
export class Members<Column extends string = string> {
  readonly columns: readonly Column[]
  readonly #names: readonly string[]

  constructor(prefix: string, columns: readonly Column[]) {
    this.columns = columns
    this.#names = columns.map((column) => prefix + column)
  }

  /** Their column definitions for json_to_recordset. */
  get definitions(): string {
    return this.#names
      .map((name, index) => `${name} ${(this.columns[index] as string) in numbers ? 'BIGINT' : text}`)
      .join(', ')
  }

  /** Their names, in the order of the columns. */
  get names(): string {
    return this.#names.join(', ')
  }

  /** `column = source.member` for each, or the expression that `special` has for the column. */
  assignments(source: string, special: { [column in Column]?: string } = {}): string {
    return this.columns
      .map((column, index) => `${column} = ${special[column] ?? `${source}.${this.#names[index]}`}`)
      .join(', ')
  }

  /** Puts the row's columns into the element, without nulls: the JSON is a third shorter. */
  put(element: Record<string, unknown>, row: { [column in Column]: Value }): void {
    for (const [index, column] of this.columns.entries()) {
      const value = row[column]
      if (value !== null) element[this.#names[index] as string] = value
    }
  }
}
