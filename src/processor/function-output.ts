import type { Readable } from 'node:stream'
import type { Log } from '../runtime/log.ts'

const lineLengthMax = 16_384
/** A loop that prints must not fill the server's log. */
const linesPerInvocationMax = 1000

type Level = 'info' | 'warn'

/** Takes what a child process prints into the server's log, line by line, with the invocation that is at work. */
export class FunctionOutput {
  #log: Log
  #fields: object = {}
  #lineCount = 0
  /** What has come of a line that has not ended. */
  #unended = { info: '', warn: '' }

  constructor(log: Log) {
    this.#log = log
  }

  /** What follows belongs to this invocation. */
  begin(fields: object): void {
    this.#fields = fields
    this.#lineCount = 0
  }

  /** The invocation has ended, and with it what it has left without a line's end. */
  end(): void {
    this.#endLine('info')
    this.#endLine('warn')
  }

  follow(stream: Readable | null, level: Level): void {
    stream?.setEncoding('utf8')
    stream?.on('data', (text: string) => {
      const [first = '', ...others] = text.split('\n')
      this.#add(level, first)
      for (const piece of others) {
        this.#endLine(level)
        this.#add(level, piece)
      }
    })
    stream?.on('end', () => this.#endLine(level))
  }

  #add(level: Level, piece: string): void {
    this.#unended[level] = (this.#unended[level] + piece).slice(0, lineLengthMax)
  }

  #endLine(level: Level): void {
    const line = this.#unended[level].trimEnd()
    this.#unended[level] = ''
    if (line === '' || this.#lineCount > linesPerInvocationMax) return
    this.#lineCount += 1
    if (this.#lineCount <= linesPerInvocationMax) this.#log[level](this.#fields, line)
    else this.#log.warn(this.#fields, `more than ${linesPerInvocationMax} lines: the rest is not logged`)
  }
}
