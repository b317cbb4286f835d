import { type Prepared, withoutNul } from './postgres-connection.ts'
import { text } from './postgres-input.ts'
import { type Row as AnyRow, rowMaker } from './row-maker.ts'
import { type Reader, StoreUnavailable, type Value } from './store.ts'

/** More callers than this never share a statement. */
const sharersMax = 32
/** More statements of one text than this are never in flight: callers that come meanwhile share the next one. */
const inFlightMax = 2
/** More callers than this never wait for rows. A further one is rejected with StoreUnavailable. */
const readsMax = 10_000
/** The database keeps a prepared statement in every connection. A further text is sent unprepared, and is not shared. */
const textsMax = 250

/** How a statement is sent. */
export interface Sender {
  send(statement: Prepared, values: unknown[]): Promise<Sent>
  /** Whether it is no fault of the statement or its values. */
  isUnavailable(error: unknown): boolean
}

/** What came back: each row as an array. */
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
 * Each read is a round trip and a transaction. So reads of one text that are asked in one turn of the event loop, or while
 * others of this text are in flight, share a statement. Nothing is kept: a statement is sent after all who share it asked.
 */
export class SharedReads implements Reader {
  readonly #sender: Sender
  /** By text, then by the types of the values. */
  readonly #queues = new Map<string, Map<string, Queue>>()
  #texts = 0
  /** Reads without rows as yet. */
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
      else void this.#answer(unshared(sql), [ask])
    })
  }

  /** Resolves once no read waits. */
  async drained(): Promise<void> {
    if (this.#reads > 0) await new Promise<void>((resolve) => this.#drained.push(resolve))
  }

  /** Undefined for what cannot be shared. */
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
    // After the requests of this turn have been read: theirs are the reads to share with.
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
      void this.#answer(queue, queue.waiting.splice(0, sharersMax)).then(() => {
        queue.inFlight -= 1
        this.#send(queue)
      })
    }
  }

  /** Settles all of them. */
  async #answer(queue: Queue, asks: Ask[]): Promise<void> {
    const sharers = [...Map.groupBy(asks, ({ values }) => JSON.stringify(values)).values()]
    if (sharers.length === 1) await this.#answerAlike(queue, asks)
    else await this.#answerShared(queue, sharers)
    this.#reads -= asks.length
    if (this.#reads === 0) for (const tell of this.#drained.splice(0)) tell()
  }

  /** Those with the same values. */
  async #answerAlike({ alone }: Queue, asks: Ask[]): Promise<void> {
    try {
      const { fields, rows } = await this.#sender.send(alone, (asks[0] as Ask).values.map(withoutNul))
      give(asks, rows.map(rowMaker(fields.map(({ name }) => name))))
    } catch (error) {
      for (const { reject } of asks) reject(error)
    }
  }

  /** All in one statement; if the values of one of them break it, each in its own, so that it fails alone. */
  async #answerShared(queue: Queue, sharers: Ask[][]): Promise<void> {
    try {
      const values = sharers.map(([ask]) => (ask as Ask).values)
      const rows = await this.#sendShared(queue.shared, values)
      for (const [place, asks] of sharers.entries()) give(asks, rows[place] as AnyRow[])
    } catch (error) {
      if (!this.#sender.isUnavailable(error)) await Promise.all(sharers.map((asks) => this.#answerAlike(queue, asks)))
      else for (const { reject } of sharers.flat()) reject(error)
    }
  }

  /** The rows for each of these values. */
  async #sendShared(shared: Prepared, all: Value[][]): Promise<AnyRow[][]> {
    const input = all.map((values, place) => ({ place, ...Object.fromEntries(values.map(memberOf)) }))
    const { fields, rows } = await this.#sender.send(shared, [JSON.stringify(input)])
    const makeRow = rowMaker(fields.slice(1).map(({ name }) => name))
    const found = all.map((): AnyRow[] => [])
    for (const [place, ...own] of rows) found[place as number]?.push(makeRow(own))
    return found
  }
}

/** To each its own copy, which it may change. */
function give([first, ...others]: Ask[], rows: AnyRow[]): void {
  for (const { resolve } of others) resolve(rows.map((row) => ({ ...row })))
  first?.resolve(rows)
}

const unshared = (sql: string): Queue => {
  const statement = { name: undefined, text: sql }
  return { waiting: [], inFlight: 0, alone: statement, shared: statement }
}

/** One letter for each value; undefined if one would come out of JSON otherwise than it went in. */
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

/** How a caller's value comes to the statement. */
const memberOf = (value: Value, index: number): [string, Value] => [
  `value_${index + 1}`,
  typeof value === 'string' ? withoutNul(value).toWellFormed() : value,
]

/**
 * The statement for each element of $1. A null stands in the text, as it has no type of its own. OFFSET 0 has the planner
 * look up each caller's rows by themselves, as it does for one caller; so they also keep their order.
 */
export function sharedText(sql: string, types: string): string {
  const own = sql.replaceAll(/\$(\d+)/g, (_, number) => (types[number - 1] === 'n' ? 'NULL' : `asked.value_${number}`))
  const members = [...types].flatMap((type, index) => (type === 'n' ? [] : `value_${index + 1} ${sqlTypes[type]}`))
  return `SELECT asked.place, own.* FROM json_to_recordset($1::json) AS asked (${['place INTEGER', ...members].join(', ')})
CROSS JOIN LATERAL (
${own}
OFFSET 0
) AS own`
}
