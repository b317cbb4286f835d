import { type Prepared, withoutNul } from './postgres-connection.ts'
import { text } from './postgres-input.ts'
import { type Row as AnyRow, rowMaker } from './row-maker.ts'
import { type Reader, StoreUnavailable, type Value } from './store.ts'

/** Maximum of callers that share a statement. */
const sharersMax = 32
/** Maximum of statements of one text in flight. Further callers share the next one. */
const inFlightMax = 2
/** Maximum of callers that wait for rows. A further one is rejected with StoreUnavailable. */
const readsMax = 10_000
/** Maximum of prepared statements: every connection keeps each of them. A further text is sent unprepared and not shared. */
const textsMax = 250

/** Sends statements to the database. */
export interface Sender {
  send(statement: Prepared, values: unknown[]): Promise<Sent>
  /** Whether the statement and its values did not cause the error. */
  isUnavailable(error: unknown): boolean
}

/** The result: each row as an array. */
interface Sent {
  fields: { name: string }[]
  rows: Value[][]
}

interface Ask {
  values: Value[]
  resolve(rows: AnyRow[]): void
  reject(error: unknown): void
}

/** Callers that wait for the rows of one text, with values of the same types. */
interface Queue {
  waiting: Ask[]
  inFlight: number
  /** For callers with the same values. */
  alone: Prepared
  /** For callers with different ones. */
  shared: Prepared
}

/**
 * Each read is a round trip and a transaction. So reads of one text in the same turn of the event loop, or while others of
 * the text are in flight, share a statement. There is no cache: the statement is sent after all calls that share it.
 */
export class SharedReads implements Reader {
  readonly #sender: Sender
  /** By text, then by the types of the values. */
  readonly #queues = new Map<string, Map<string, Queue>>()
  #texts = 0
  /** The number of reads that wait for rows. */
  #reads = 0
  #asked = new Set<Queue>()
  #drained: (() => void)[] = []

  constructor(sender: Sender) {
    this.#sender = sender
  }

  async get<Row>(sql: string, ...values: Value[]): Promise<Row | undefined> {
    return (await this.all<Row>(sql, ...values))[0]
  }

  all<Row>(sql: string, ...values: Value[]): Promise<Row[]> {
    if (this.#reads >= readsMax) return Promise.reject(new StoreUnavailable(`${readsMax} reads wait for the database`))
    this.#reads += 1
    return new Promise<Row[]>((resolve, reject) => {
      const ask: Ask = { values, resolve: resolve as Ask['resolve'], reject }
      const queue = this.#queueOf(sql, typesOf(values))
      if (queue) this.#wait(queue, ask)
      else void this.#settle(unshared(sql), [ask])
    })
  }

  /** Resolves when no read waits. */
  async drained(): Promise<void> {
    if (this.#reads > 0) await new Promise<void>((resolve) => this.#drained.push(resolve))
  }

  /** Undefined for a read that cannot be shared. */
  #queueOf(sql: string, types: string | undefined): Queue | undefined {
    if (types === undefined) return undefined
    const queues = this.#queues.get(sql) ?? new Map<string, Queue>()
    const known = queues.get(types)
    if (known || this.#texts === textsMax) return known
    this.#texts += 1
    const queue = {
      waiting: [],
      inFlight: 0,
      alone: { name: `read-${this.#texts}`, text: sql },
      shared: { name: `shared-read-${this.#texts}`, text: sharedText(sql, types) },
    }
    queues.set(types, queue)
    this.#queues.set(sql, queues)
    return queue
  }

  #wait(queue: Queue, ask: Ask): void {
    queue.waiting.push(ask)
    // After the requests of this turn of the event loop have been read: their reads share the statement.
    if (this.#asked.size === 0) setImmediate(() => this.#sendAsked())
    this.#asked.add(queue)
  }

  #sendAsked(): void {
    const asked = this.#asked
    this.#asked = new Set()
    for (const queue of asked) this.#send(queue)
  }

  #send(queue: Queue): void {
    while (queue.waiting.length > 0 && queue.inFlight < inFlightMax) {
      queue.inFlight += 1
      void this.#settle(queue, queue.waiting.splice(0, sharersMax)).then(() => {
        queue.inFlight -= 1
        this.#send(queue)
      })
    }
  }

  /** Settles all of them. */
  async #settle(queue: Queue, asks: Ask[]): Promise<void> {
    const sharers = [...Map.groupBy(asks, ({ values }) => JSON.stringify(values)).values()]
    if (sharers.length === 1) await this.#readAlike(queue, asks)
    else await this.#readShared(queue, sharers)
    this.#reads -= asks.length
    if (this.#reads === 0) for (const notify of this.#drained.splice(0)) notify()
  }

  /** Those with the same values. */
  async #readAlike({ alone }: Queue, asks: Ask[]): Promise<void> {
    try {
      const { fields, rows } = await this.#sender.send(alone, (asks[0] as Ask).values.map(withoutNul))
      give(asks, rows.map(rowMaker(fields.map(({ name }) => name))))
    } catch (error) {
      for (const { reject } of asks) reject(error)
    }
  }

  /** One statement for all. If the values of one caller make it fail, each gets its own statement, so that only that one fails. */
  async #readShared(queue: Queue, sharers: Ask[][]): Promise<void> {
    try {
      const values = sharers.map(([ask]) => (ask as Ask).values)
      const rows = await this.#sendShared(queue.shared, values)
      for (const [at, asks] of sharers.entries()) give(asks, rows[at] as AnyRow[])
    } catch (error) {
      if (!this.#sender.isUnavailable(error)) await Promise.all(sharers.map((asks) => this.#readAlike(queue, asks)))
      else for (const { reject } of sharers.flat()) reject(error)
    }
  }

  /** The rows for each of these values. */
  async #sendShared(shared: Prepared, all: Value[][]): Promise<AnyRow[][]> {
    const input = all.map((values, at) => ({ at, ...Object.fromEntries(values.map(memberOf)) }))
    const { fields, rows } = await this.#sender.send(shared, [JSON.stringify(input)])
    const makeRow = rowMaker(fields.slice(1).map(({ name }) => name))
    const found = all.map((): AnyRow[] => [])
    for (const [at, ...own] of rows) found[at as number]?.push(makeRow(own))
    return found
  }
}

/** Each caller gets its own copy, which it may change. */
function give([first, ...others]: Ask[], rows: AnyRow[]): void {
  for (const { resolve } of others) resolve(rows.map((row) => ({ ...row })))
  first?.resolve(rows)
}

const unshared = (sql: string): Queue => {
  const statement = { name: undefined, text: sql }
  return { waiting: [], inFlight: 0, alone: statement, shared: statement }
}

/** One letter for each value; undefined if JSON would not preserve a value. */
function typesOf(values: readonly Value[]): string | undefined {
  let types = ''
  for (const value of values) {
    if (typeof value === 'string') types += 't'
    else if (value === null) types += 'n'
    else if (Number.isSafeInteger(value)) types += 'i'
    else return undefined
  }
  return types
}

const sqlTypes: Record<string, string> = { t: text, i: 'BIGINT' }

/** How a caller's value appears in the statement. */
const memberOf = (value: Value, index: number): [string, Value] => [
  `value_${index + 1}`,
  typeof value === 'string' ? withoutNul(value).toWellFormed() : value,
]

/**
 * Executes the statement for each element of $1. A null is part of the text, because it has no type. OFFSET 0 makes the
 * planner look up the rows of each caller separately, as for a single caller; so they also keep their order.
 */
export function sharedText(sql: string, types: string): string {
  const own = sql.replaceAll(/\$(\d+)/g, (_, number) => (types[number - 1] === 'n' ? 'NULL' : `asked.value_${number}`))
  const members = [...types].flatMap((type, index) => (type === 'n' ? [] : `value_${index + 1} ${sqlTypes[type]}`))
  return `SELECT asked.at, own.* FROM json_to_recordset($1::json) AS asked (${['at INTEGER', ...members].join(', ')})
CROSS JOIN LATERAL (
${own}
OFFSET 0
) AS own`
}
