import type { HandOff } from './target.ts'

/** Callers of the API choose the names of functions. The one that was used the longest time ago is forgotten first. */
const functionsMax = 1_000
/** What is kept of the output of a function. */
const linesMax = 20
const lineLengthMax = 500
/** What is kept of an error, with its stack. */
const reasonLengthMax = 2_000

/** What a function did on this node since its start. */
export interface FunctionRecord {
  /** Attempts that have ended. */
  calls: number
  /** Those that ended with an error, or did not reach the function. */
  errors: number
  /** Why the latest attempt failed; undefined if it did not. */
  failure: { result: 'crashed' | 'unreached'; reason: string } | undefined
  /** What the function has printed as an error last, with its stack, since it succeeded. */
  printedError: string | undefined
  /** The last lines of its output. */
  lines: readonly string[]
}

type Listener = { changed(): void; printed(functionName: string, line: string): void }

/** What functions did, and what they printed last, in the memory of this node, for their developer. */
export class FunctionRecords {
  readonly #records = new Map<string, FunctionRecord & { lines: string[] }>()
  #listener: Listener | undefined

  /** There is one listener. */
  onChange(listener: Listener): void {
    this.#listener = listener
  }

  get names(): string[] {
    return [...this.#records.keys()]
  }

  of(functionName: string): FunctionRecord | undefined {
    return this.#records.get(functionName)
  }

  /** An attempt has ended. A deferred one was none. */
  note(functionName: string, handOff: HandOff): void {
    if (handOff.result === 'deferred') return
    const record = this.#recordOf(functionName)
    record.calls += 1
    record.failure = undefined
    if (handOff.result === 'completed') record.printedError = undefined
    if (handOff.result === 'crashed' || handOff.result === 'unreached') {
      record.errors += 1
      record.failure = { result: handOff.result, reason: handOff.reason.slice(0, reasonLengthMax) }
    }
    this.#listener?.changed()
  }

  /** The function has printed this entry of one line or more. */
  print(functionName: string, entry: string, isError: boolean): void {
    const record = this.#recordOf(functionName)
    const { lines } = record
    if (isError) record.printedError = entry.slice(0, reasonLengthMax)
    for (const line of entry.split('\n', linesMax)) {
      const cut = line.slice(0, lineLengthMax)
      lines.push(cut)
      this.#listener?.printed(functionName, cut)
    }
    if (lines.length > linesMax) lines.splice(0, lines.length - linesMax)
  }

  /** The files have changed: what failed before may be repaired. */
  forgetFailures(): void {
    for (const record of this.#records.values()) Object.assign(record, { failure: undefined, printedError: undefined })
    this.#listener?.changed()
  }

  #recordOf(functionName: string) {
    const known = this.#records.get(functionName)
    const record = known ?? { calls: 0, errors: 0, failure: undefined, printedError: undefined, lines: [] }
    this.#records.delete(functionName)
    const [oldest] = this.#records.keys()
    if (oldest !== undefined && this.#records.size >= functionsMax) this.#records.delete(oldest)
    this.#records.set(functionName, record)
    return record
  }
}
