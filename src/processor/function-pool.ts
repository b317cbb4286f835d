import { Shortage } from '../runtime/shortage.ts'
import type { Call, FunctionChild } from './function-child.ts'
import type { FunctionCode } from './function-folder.ts'
import type { HandOff } from './target.ts'

/** Of one function. */
export const childrenMax = 4
/** The flow engine never asks for more than there are free places; this holds whoever else asks. */
const waitingMax = 256

/** The child processes of one function. An idle one is used again, unless the files it was started from have changed. */
export class FunctionPool {
  #find: () => Promise<FunctionCode>
  #start: (code: FunctionCode) => FunctionChild
  #children = new Set<FunctionChild>()
  #calls = 0
  #waiting: PromiseWithResolvers<void>[] = []
  #closed = false

  constructor(find: () => Promise<FunctionCode>, start: (code: FunctionCode) => FunctionChild) {
    this.#find = find
    this.#start = start
  }

  /** At work, or about to be. */
  get calls(): number {
    return this.#calls
  }

  /** Nothing would be lost with it. */
  get empty(): boolean {
    return this.#calls === 0 && this.#children.size === 0
  }

  /** Rejects when the event reached no child: with what `find` throws, when no process can be started, when closed. */
  async invoke(call: Call): Promise<HandOff> {
    await this.#enter()
    try {
      return await this.#giveToChild(call)
    } finally {
      this.#leave()
    }
  }

  /** Takes no more calls and ends what is idle; what is busy may end its call. Resolves when all children are gone. */
  async close(): Promise<void> {
    this.#closed = true
    for (const turn of this.#waiting.splice(0)) turn.reject(closing())
    this.#endIdle(closing().message)
    await Promise.all([...this.#children].map((child) => child.exited))
  }

  /** Ends what is busy, too. */
  kill(): void {
    for (const child of this.#children) child.end(closing().message)
  }

  async #giveToChild(call: Call): Promise<HandOff> {
    const code = await this.#find()
    this.#endIdle('its files have changed', (child) => child.code.signature !== code.signature)
    const idle = [...this.#children].find((child) => child.idle)
    if (idle) return idle.invoke(call)
    // An ending process counts until it has ended, so that there are never more than childrenMax.
    await Promise.all([...this.#children].filter((child) => child.ending).map((child) => child.exited))
    if (this.#closed) throw closing()
    const child = this.#start(code)
    this.#children.add(child)
    void child.exited.then(() => this.#children.delete(child))
    return child.invoke(call)
  }

  #endIdle(reason: string, which: (child: FunctionChild) => boolean = () => true): void {
    for (const child of this.#children) {
      if (child.idle && which(child)) child.end(reason)
    }
  }

  async #enter(): Promise<void> {
    if (this.#closed) throw closing()
    if (this.#calls < childrenMax) {
      this.#calls += 1
      return
    }
    if (this.#waiting.length >= waitingMax) {
      throw new Shortage('processes', `${waitingMax} events wait for this function already`)
    }
    const turn = Promise.withResolvers<void>()
    this.#waiting.push(turn)
    await turn.promise
  }

  #leave(): void {
    const next = this.#waiting.shift()
    if (next) next.resolve()
    else this.#calls -= 1
    if (this.#closed) this.#endIdle(closing().message)
  }
}

const closing = () => new Error('the server is closing')
