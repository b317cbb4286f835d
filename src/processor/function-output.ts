import type { Readable } from 'node:stream'
import type { Log } from '../runtime/log.ts'
import { entryBegin, entryEnd } from './bootstrap-terms.ts'

const entryLengthMax = 16_384
/** A loop that prints must not fill the server's log. */
const entriesPerInvocationMax = 1000
/**
 * Marks, and what stands between them: several times what so many entries need. Each takes time, empty ones as well.
 */
const piecesPerInvocationMax = 20_000
/** What Node prints when it cannot start fits in here. */
const earlyLengthMax = 16_384

type Level = 'info' | 'warn'

const marks = new RegExp(`([${entryBegin}${entryEnd}])`)

/**
 * Writes the output of a child process into the server's log, with the invocation in flight. One write of the function
 * is one entry. Output without the bootstrap's marks, such as that of a process which the function started, is an entry
 * for each piece that arrives at once.
 */
export class FunctionOutput {
  #log: Pick<Log, Level>
  #fields: object = {}
  #entryCount = 0
  #pieceCount = 0
  /** What has come of an entry that has not ended, and whether its end will be marked. */
  #unended = { info: { text: '', marked: false }, warn: { text: '', marked: false } }
  /** Output from before the process has started: the function's only if the process does start. */
  #early: { level: Level; text: string }[] | undefined = []

  constructor(log: Pick<Log, Level>) {
    this.#log = log
  }

  /** What follows belongs to this invocation. */
  begin(fields: object): void {
    this.#fields = fields
    this.#entryCount = 0
    this.#pieceCount = 0
  }

  /** The invocation has ended, and with it what it has left without an end. */
  end(): void {
    this.#endEntry('info')
    this.#endEntry('warn')
  }

  started(): void {
    const early = this.#early ?? []
    this.#early = undefined
    for (const { level, text } of early) this.#take(level, text)
  }

  /** Everything printed so far by a process that has not started. */
  get early(): string {
    return (this.#early ?? []).map(({ text }) => text).join('')
  }

  follow(stream: Readable | null, level: Level): void {
    stream?.setEncoding('utf8')
    stream?.on('data', (text: string) => {
      if (!this.#early) this.#take(level, text)
      else if (this.early.length < earlyLengthMax) this.#early.push({ level, text: text.slice(0, earlyLengthMax) })
    })
    stream?.on('end', () => this.#endEntry(level))
  }

  #take(level: Level, text: string): void {
    if (this.#entryCount > entriesPerInvocationMax) return
    const unended = this.#unended[level]
    const pieces = text.split(marks, piecesPerInvocationMax - this.#pieceCount)
    this.#pieceCount += pieces.length
    for (const piece of pieces) {
      if (piece === entryBegin) {
        this.#endLines(level)
        unended.marked = true
      } else if (piece === entryEnd) this.#endEntry(level)
      else this.#add(level, piece)
    }
    if (!unended.marked) this.#endLines(level)
    if (this.#pieceCount === piecesPerInvocationMax) this.#dropRest(`${piecesPerInvocationMax} pieces of output`)
  }

  #dropRest(limit: string): void {
    if (this.#entryCount > entriesPerInvocationMax) return
    this.#entryCount = entriesPerInvocationMax + 1
    this.#log.warn(this.#fields, `more than ${limit}: the rest is not logged`)
  }

  /** An entry that is too long continues in another one, from its next line on. A line that is too long is cut. */
  #add(level: Level, piece: string): void {
    const unended = this.#unended[level]
    unended.text += piece
    while (unended.text.length > entryLengthMax) {
      const { text } = unended
      const lineEnd = text.lastIndexOf('\n', entryLengthMax)
      const next = lineEnd < 0 ? text.indexOf('\n', entryLengthMax) : lineEnd
      unended.text = text.slice(0, lineEnd < 0 ? entryLengthMax : lineEnd)
      if (next < 0) return
      this.#write(level, unended.text)
      unended.text = text.slice(next + 1)
    }
  }

  #endEntry(level: Level): void {
    this.#write(level, this.#unended[level].text)
    this.#unended[level] = { text: '', marked: false }
  }

  /** Ends what has come as whole lines. */
  #endLines(level: Level): void {
    const unended = this.#unended[level]
    const end = unended.text.lastIndexOf('\n') + 1
    this.#write(level, unended.text.slice(0, end))
    unended.text = unended.text.slice(end)
  }

  #write(level: Level, text: string): void {
    const entry = text
      .replaceAll('\r\n', '\n')
      .replace(/^\s*\n/, '')
      .trimEnd()
    if (entry === '' || this.#entryCount > entriesPerInvocationMax) return
    if (this.#entryCount < entriesPerInvocationMax) {
      this.#entryCount += 1
      this.#log[level](this.#fields, entry)
    } else this.#dropRest(`${entriesPerInvocationMax} entries`)
  }
}
