import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { Poll } from '../runtime/poll.ts'
import type { Reader, Transaction } from '../store/store.ts'

/** A pause, and its end, count on every node within a second. */
const lookEveryMs = 1_000

interface Parts {
  read: Reader
  clock: Clock
  log: Log
}

/**
 * The functions that an operator has paused: their messages wait, and are invoked after the pause. Deadlines continue. While
 * the store cannot be read, what was read last counts.
 */
export class PausedFunctions {
  readonly #parts: Parts
  #names: ReadonlySet<string> = new Set()
  readonly #poll: Poll
  readonly #listeners: (() => void)[] = []

  constructor(parts: Parts) {
    this.#parts = parts
    const { clock, log } = parts
    this.#poll = new Poll({ clock, log, everyMs: lookEveryMs, subject: 'paused functions', look: () => this.#read() })
  }

  /** Resolves when the pauses are known. */
  start(): Promise<void> {
    return this.#poll.start()
  }

  close(): void {
    this.#poll.close()
  }

  has(functionName: string): boolean {
    return this.#names.has(functionName)
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener)
  }

  async #read(): Promise<void> {
    const names = new Set(await readPausedFunctions(this.#parts.read))
    if (this.#poll.isClosed) return
    const isSame = names.size === this.#names.size && [...names].every((name) => this.#names.has(name))
    this.#names = names
    if (!isSame) for (const listener of this.#listeners) listener()
  }
}

export async function readPausedFunctions(read: Reader): Promise<string[]> {
  const rows = await read.all<{ function_name: string }>(
    'SELECT function_name FROM paused_function ORDER BY function_name',
  )
  return rows.map((row) => row.function_name)
}

/** Returns whether it was not paused before. */
export const pauseFunction = (transaction: Transaction, functionName: string, now: number): Promise<boolean> =>
  transaction.insertOnce('paused_function', { function_name: functionName, paused_at: now })

/** Returns whether it was paused. */
export async function resumeFunction(transaction: Transaction, functionName: string): Promise<boolean> {
  return (await transaction.run('DELETE FROM paused_function WHERE function_name = $1', functionName)) === 1
}
