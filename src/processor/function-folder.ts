import { lstat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import type { Cancel, Clock } from '../runtime/clock.ts'
import { Countdown } from '../runtime/countdown.ts'
import type { Log } from '../runtime/log.ts'
import { Shortage, shortageOf } from '../runtime/shortage.ts'
import { type FolderReading, isCounted, readFolder, watchedDepthMax, watchedEntriesMax } from './folder-reading.ts'
import { FolderWatch } from './folder-watch.ts'
import { extensions, type Found, type FunctionCode, functionsIn } from './function-files.ts'

/** There is no such function. */
export class MissingFunction extends Error {}

/** A reading starts when the folder has been quiet for so long, so that a burst of writes is one change … */
const quietMs = 20
/** … and at most so long after the first of them. */
const settleMsMax = 50
/** A folder that changes all the time is read for a fifth of the time at most. */
const restPerReading = 4
/** What no watch sees is found by a reading so often while events come: an exchanged mount, a file on a network disk. */
export const lookEveryMs = 2_000
/** How often at most the folder is read for names that are not in it. */
const missingEveryMs = 100
/** How soon a folder that could not be read is read again. */
const retryMs = 1_000
/** What takes longer, as on a network disk that is away, counts as failed; nothing else is started before it has ended. */
const readingMsMax = 5_000

interface Known {
  reading: FolderReading
  functions: Map<string, Found>
}

/** Changes that were noticed since the last reading started. */
interface Burst {
  firstAt: number
  lastAt: number
}

/** What is known of the folder. `absent`: it has never been there. */
type State = Known | 'unread' | 'absent' | Shortage

export interface FunctionFolderOptions {
  folder: string
  clock: Clock
  log: Log
  /** Called after each change of what is known. */
  changed(): void
}

/**
 * The functions in a folder, known in memory: no event looks at a file. A watch notices changes at once, and a reading every
 * two seconds, while events come, finds what no watch sees. There is one reading at a time. When the folder cannot be
 * read, nothing is known: a function that cannot be found then is not a function that does not exist.
 */
export class FunctionFolder {
  /** Resolves after the first reading. */
  readonly opened: Promise<void>
  #options: FunctionFolderOptions
  #folder: string
  #state: State = 'unread'
  /** What was read last, whatever happened since. */
  #last: Known | undefined
  /** When each function went that was there a moment ago: it may be about to be replaced. */
  #goneAt = new Map<string, number>()
  #watch = new FolderWatch(() => this.#noticeChange())
  #burst: Burst | undefined
  #reading: Promise<void> = Promise.resolve()
  #nextReading: Promise<void> | undefined
  #readingStartedAt = Number.NEGATIVE_INFINITY
  #restUntil = Number.NEGATIVE_INFINITY
  #isOverdue = false
  #wereEvents = false
  #cancelLook: Cancel | undefined
  #cancelRetry: Cancel | undefined
  #warned = new Set<string>()
  #closed = false

  constructor(options: FunctionFolderOptions) {
    this.#options = options
    this.#folder = resolve(options.folder)
    this.opened = this.#read()
  }

  get isOpen(): boolean {
    return this.#state !== 'unread'
  }

  /** That of all functions, while they are known. */
  get signature(): string | undefined {
    return isKnown(this.#state) ? this.#state.reading.signature : undefined
  }

  /** Undefined when there is no function of that name, it is broken, or nothing is known. */
  codeOf(functionName: string): FunctionCode | undefined {
    const found = isKnown(this.#state) ? this.#state.functions.get(functionName) : undefined
    return found instanceof Error ? undefined : found
  }

  /** Throws MissingFunction, BrokenFunction, or a Shortage when nothing is known of it at present. */
  find(functionName: string): FunctionCode {
    const absence = this.absence(functionName)
    if (absence !== undefined) throw new MissingFunction(absence)
    this.check()
    const found = isKnown(this.#state) ? this.#state.functions.get(functionName) : undefined
    if (!found) throw new Shortage('functions folder', `${functionName} was in ${this.#folder} a moment ago`)
    if (found instanceof Error) throw found
    return found
  }

  /** The reason why there is no such function, or undefined when there is one or that is not known at present. */
  absence(functionName: string): string | undefined {
    if (this.#state === 'absent') {
      return `there is no folder ${this.#folder}: create it, or set CARILLON_FUNCTIONS to the folder your functions are in`
    }
    if (!isKnown(this.#state) || this.#state.functions.has(functionName) || this.#isJustGone(functionName))
      return undefined
    const names = [...extensions.map((extension) => functionName + extension), `${functionName}/index.*`]
    const lookedFor = `looked for ${names.join(', ')} and ${functionName}/function.json`
    return `no function ${functionName} in ${this.#folder} (${lookedFor})`
  }

  /** Throws a Shortage while the folder cannot be read. */
  check(): void {
    if (this.#state instanceof Shortage) throw this.#state
  }

  /** To be called for each event. A promise when what is known is too old, as for the first event after a pause. */
  refresh(): Promise<void> | undefined {
    this.#wereEvents = true
    this.#cancelLook ??= this.#lookLater()
    if (this.#options.clock.now() - this.#readingStartedAt <= lookEveryMs) return undefined
    return this.#readAt(this.#options.clock.now())
  }

  /** A reading that starts after this call. Of all who ask within a tenth of a second, for whatever name, there is one. */
  lookAgain(): Promise<void> {
    return this.#readAt(this.#readingStartedAt + missingEveryMs)
  }

  /** Resolves when no reading is under way. */
  async close(): Promise<void> {
    this.#closed = true
    this.#watch.close()
    this.#cancelLook?.()
    this.#cancelRetry?.()
    await this.#reading
  }

  #isJustGone(functionName: string): boolean {
    const goneAt = this.#goneAt.get(functionName)
    return goneAt !== undefined && this.#options.clock.now() - goneAt < lookEveryMs
  }

  #noticeChange(): void {
    const now = this.#options.clock.now()
    this.#burst = { firstAt: this.#burst?.firstAt ?? now, lastAt: now }
    void this.#readAt(now)
  }

  #lookLater(): Cancel {
    const { clock } = this.#options
    return clock.at(clock.now() + lookEveryMs, () => {
      this.#cancelLook = undefined
      if (!this.#wereEvents) return
      this.#wereEvents = false
      this.#cancelLook = this.#lookLater()
      void this.#readAt(clock.now())
    })
  }

  /** The next reading, not before this time. All who ask before it starts share it. */
  #readAt(atMs: number): Promise<void> {
    this.#nextReading ??= this.#schedule(atMs)
    return this.#nextReading
  }

  async #schedule(atMs: number): Promise<void> {
    await this.#reading
    await this.#until(atMs)
    while (this.#burst && this.#settledAt(this.#burst) > this.#options.clock.now()) {
      await this.#until(this.#settledAt(this.#burst))
    }
    this.#nextReading = undefined
    await this.#read()
  }

  #settledAt({ firstAt, lastAt }: Burst): number {
    return Math.max(this.#restUntil, Math.min(lastAt + quietMs, firstAt + settleMsMax))
  }

  #until(atMs: number): Promise<void> | undefined {
    const { clock } = this.#options
    return atMs <= clock.now() ? undefined : new Promise((resolve) => clock.at(atMs, resolve))
  }

  /** Resolves when the reading has ended or is overdue. */
  #read(): Promise<void> {
    if (this.#closed || this.#isOverdue) return Promise.resolve()
    const { clock } = this.#options
    const { promise, resolve: release } = Promise.withResolvers<void>()
    this.#reading = promise
    this.#readingStartedAt = clock.now()
    this.#burst = undefined
    const limit = new Countdown(clock, readingMsMax, () => {
      this.#isOverdue = true
      this.#learnTrouble(new Error(`${this.#folder} could not be read within ${readingMsMax / 1000} s`))
      release()
    })
    const reading = this.#readAll().then(
      (known) => this.#learn(known),
      (error) => this.#learnTrouble(error),
    )
    void reading.finally(() => {
      limit.cancel()
      this.#isOverdue = false
      this.#restUntil = clock.now() + restPerReading * (clock.now() - this.#readingStartedAt)
      release()
    })
    return promise
  }

  async #readAll(): Promise<Known> {
    this.#watch.begin()
    await this.#watchParent()
    const reading = await readFolder(this.#folder, (path, identity) => {
      if (!this.#closed) this.#watch.enter(path, identity, isCounted)
    })
    this.#watch.end()
    const last = isKnown(this.#state) ? this.#state : undefined
    const isSame = last?.reading.signature === reading.signature && !isInTrouble(last.functions)
    return { reading, functions: isSame ? last.functions : await functionsIn(this.#folder, reading) }
  }

  /** The folder's own watch sees neither that a link leads elsewhere nor that a folder appears. */
  async #watchParent(): Promise<void> {
    const found = await lstat(this.#folder).catch(() => undefined)
    if (found?.isDirectory() || this.#closed) return
    this.#watch.enter(dirname(this.#folder), 'the parent', (name) => name === basename(this.#folder))
  }

  #learn(known: Known): void {
    const { clock, log, changed } = this.#options
    if (this.#last && isEmptied(this.#last, known)) {
      this.#learnTrouble(new Error(`${this.#folder} has become another folder, without any function`))
      return
    }
    if (!known.reading.complete) {
      const limits = `${watchedEntriesMax} entries or ${watchedDepthMax} levels`
      this.#warnOnce(`more than ${limits}: what lies beyond them is not looked at`)
    }
    if (this.#watch.failure) this.#warnOfWatch(this.#watch.failure)
    const isSame = isKnown(this.#state) && this.#state.functions === known.functions
    this.#noteGone(known.functions, clock.now())
    this.#state = known
    this.#last = known
    if (isSame) return
    log.debug({ folder: this.#folder, functions: known.functions.size }, 'functions folder read')
    changed()
  }

  #learnTrouble(error: NodeJS.ErrnoException): void {
    const { clock, changed } = this.#options
    const wasOpen = this.isOpen
    const isAbsent = error.code === 'ENOENT' || error.code === 'ENOTDIR'
    if (isAbsent && !this.#last) {
      this.#state = 'absent'
    } else {
      const kind = shortageOf(error) ?? 'functions folder'
      this.#state = new Shortage(kind, isAbsent ? `${this.#folder} was there and is gone` : error.message, {
        cause: error,
      })
      this.#cancelRetry?.()
      this.#cancelRetry = clock.at(clock.now() + retryMs, () => void this.#readAt(clock.now()))
    }
    if (!wasOpen) changed()
  }

  #noteGone(functions: Map<string, Found>, now: number): void {
    for (const name of this.#last?.functions.keys() ?? []) if (!functions.has(name)) this.#goneAt.set(name, now)
    for (const name of this.#goneAt.keys()) {
      if (functions.has(name) || !this.#isJustGone(name)) this.#goneAt.delete(name)
    }
  }

  #warnOfWatch(failure: Error): void {
    const { code } = failure as NodeJS.ErrnoException
    const advice = code === 'ENOSPC' ? ': raise fs.inotify.max_user_watches' : ''
    const effect = `changes are seen within ${lookEveryMs / 1000} s instead of at once`
    this.#warnOnce(`the functions folder cannot be watched (${code})${advice}; ${effect}`)
  }

  #warnOnce(text: string): void {
    if (this.#warned.has(text)) return
    this.#warned.add(text)
    this.#options.log.warn({ folder: this.#folder }, text)
  }
}

const isKnown = (state: State): state is Known => typeof state === 'object' && !(state instanceof Shortage)

const isInTrouble = (functions: Map<string, Found>) =>
  [...functions.values()].some((found) => found instanceof Shortage)

/** As when a disk is taken away and leaves an empty folder at its place. */
const isEmptied = (before: Known, after: Known) =>
  before.reading.identity !== after.reading.identity && before.functions.size > 0 && after.functions.size === 0
