import { lstat } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import type { Clock } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import { Shortage, shortageOf } from '../runtime/shortage.ts'
import {
  type FolderReading,
  isCounted,
  namesMax,
  readFolder,
  watchedDepthMax,
  watchedEntriesMax,
} from './folder-reading.ts'
import { FolderWatch } from './folder-watch.ts'
import { extensions, type Found, type FunctionCode, functionsIn } from './function-files.ts'
import type { FunctionsMark } from './functions-mark.ts'
import { lookEveryMs, ReadingSchedule } from './reading-schedule.ts'

/** There is no such function. */
export class MissingFunction extends Error {}

/** A function that vanished may be about to be replaced: it counts as missing only after this time. */
export const goneMsMax = 2_000

interface Known {
  reading: FolderReading
  functions: Map<string, Found>
}

/** The state of the folder in memory. `absent`: it has never existed. */
type State = Known | 'unread' | 'absent' | Shortage

export interface FunctionFolderOptions {
  folder: string
  clock: Clock
  log: Log
  /** Without one, nothing is remembered across restarts. */
  mark?: FunctionsMark | undefined
  /** Called after each change of the state. */
  changed(): void
}

/**
 * The functions in a folder, in memory: no event reads a file. A watch reports changes at once; while events arrive, a
 * reading every two seconds finds changes that the watch has missed. While the folder cannot be read, its functions are
 * unknown: a function that is not found then may exist.
 */
export class FunctionFolder {
  /** Resolves after the first reading. */
  readonly opened: Promise<void>
  #options: FunctionFolderOptions
  #folder: string
  #state: State = 'unread'
  /** The last successful reading, even if later ones failed. */
  #last: Known | undefined
  #goneAt = new Map<string, number>()
  #watch: FolderWatch
  #schedule: ReadingSchedule
  #warned = new Set<string>()
  #closed = false

  constructor(options: FunctionFolderOptions) {
    this.#options = options
    this.#folder = resolve(options.folder)
    this.#watch = new FolderWatch(() => this.#schedule.noticeChange())
    this.#schedule = new ReadingSchedule({
      clock: options.clock,
      read: () =>
        this.#read().then(
          (known) => this.#learn(known),
          (error) => this.#learnTrouble(error),
        ),
      overdue: (limitMs) => this.#learnTrouble(new Error(`${this.#folder} was not read within ${limitMs / 1000} s`)),
    })
    this.opened = this.#schedule.readNow()
  }

  get isOpen(): boolean {
    return this.#state !== 'unread'
  }

  /** The signature of the whole folder, while it is known. */
  get signature(): string | undefined {
    return isKnown(this.#state) ? this.#state.reading.signature : undefined
  }

  /** Those of the last reading that succeeded. */
  get names(): string[] {
    return [...(this.#last?.functions.keys() ?? [])]
  }

  /** Undefined when there is no function of that name, it is broken, or nothing is known. */
  codeOf(functionName: string): FunctionCode | undefined {
    const found = this.#found(functionName)
    return found instanceof Error ? undefined : found
  }

  /** Throws MissingFunction, BrokenFunction, or a Shortage when nothing is known about it at present. */
  find(functionName: string): FunctionCode {
    if (this.isAbsent(functionName)) throw new MissingFunction(this.#absence(functionName))
    this.check()
    const found = this.#found(functionName)
    if (!found) throw new Shortage('functions folder', this.#uncertainty(functionName))
    if (found instanceof Error) throw found
    return found
  }

  /** Whether there is no such function. False when that is not known at present. */
  isAbsent(functionName: string): boolean {
    if (!isKnown(this.#state)) return this.#state === 'absent'
    const { functions, reading } = this.#state
    return !functions.has(functionName) && reading.namesComplete && !this.#isJustGone(functionName)
  }

  /** Throws a Shortage while the folder cannot be read. */
  check(): void {
    if (this.#state instanceof Shortage) throw this.#state
  }

  /** To be called for each event. Returns a promise when the last reading is too old. */
  refresh(): Promise<void> | undefined {
    return this.#schedule.refresh()
  }

  /** A reading that starts after this call, for a name that is not known. */
  lookAgain(): Promise<void> {
    return this.#schedule.lookAgain()
  }

  /** Resolves when no reading is under way. */
  close(): Promise<void> {
    this.#closed = true
    this.#watch.close()
    return this.#schedule.close()
  }

  #found(functionName: string): Found | undefined {
    return isKnown(this.#state) ? this.#state.functions.get(functionName) : undefined
  }

  #absence(functionName: string): string {
    if (this.#state === 'absent') {
      return `there is no folder ${this.#folder}: create it, or set CARILLON_FUNCTIONS to the folder your functions are in`
    }
    const names = [...extensions.map((extension) => functionName + extension), `${functionName}/index.*`]
    const lookedFor = `looked for ${names.join(', ')} and ${functionName}/function.json`
    return `no function ${functionName} in ${this.#folder} (${lookedFor})`
  }

  /** Why it is not known whether there is such a function, though the folder was read. */
  #uncertainty(functionName: string): string {
    return this.#isJustGone(functionName)
      ? `${functionName} was in ${this.#folder} a moment ago`
      : `${functionName} may be among the entries of ${this.#folder} beyond the first ${namesMax}`
  }

  #isJustGone(functionName: string): boolean {
    const goneAt = this.#goneAt.get(functionName)
    if (goneAt === undefined) return false
    const ageMs = this.#options.clock.now() - goneAt
    // It is negative when the system's clock was set back.
    return ageMs >= 0 && ageMs < goneMsMax
  }

  async #read(): Promise<Known> {
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

  /** The watch of the folder itself does not report a link that changes, or a folder that appears. */
  async #watchParent(): Promise<void> {
    const found = await lstat(this.#folder).catch(() => undefined)
    if (found?.isDirectory() || this.#closed) return
    this.#watch.enter(dirname(this.#folder), 'the parent', (name) => name === basename(this.#folder))
  }

  #learn(known: Known): void {
    if (known.functions.size === 0 && this.#hadFunctions(known.reading)) {
      const before = this.#last ? 'before it was replaced' : 'before the restart'
      this.#learnTrouble(new Error(`${this.#folder} has no functions, but had some ${before}`))
      this.#warnOfLoss()
      return
    }
    const { log, changed } = this.#options
    this.#warnOfLimits(known.reading)
    const isSame = isKnown(this.#state) && this.#state.functions === known.functions
    this.#noteGone(known.functions)
    this.#state = known
    this.#last = known
    this.#keepMark()
    if (isSame) return
    log.debug({ folder: this.#folder, functions: known.functions.size }, 'functions folder read')
    changed()
  }

  /** Whether functions were in a folder that this one has replaced, as when a disk is away and leaves an empty folder. */
  #hadFunctions({ identity }: FolderReading): boolean {
    if (!this.#last) return this.#isMarked
    return this.#last.reading.identity !== identity && this.#last.functions.size > 0
  }

  get #isMarked(): boolean {
    return this.#options.mark?.folder !== undefined
  }

  /** Functions that were removed while the folder was read are missing after a restart as well. */
  #keepMark(): void {
    if (this.#last?.functions.size) this.#options.mark?.set(this.#folder)
    else if (this.#isMarked) this.#options.mark?.clear()
  }

  #learnTrouble(error: NodeJS.ErrnoException): void {
    const wasOpen = this.isOpen
    const isAbsent = error.code === 'ENOENT' || error.code === 'ENOTDIR'
    if (isAbsent && !this.#last && !this.#isMarked) {
      this.#state = 'absent'
    } else {
      const reason = isAbsent ? this.#lossReason() : error.message
      this.#state = new Shortage(shortageOf(error) ?? 'functions folder', reason, { cause: error })
      this.#schedule.retry()
      if (isAbsent) this.#warnOfLoss()
    }
    if (!wasOpen) this.#options.changed()
  }

  #lossReason(): string {
    const marked = this.#options.mark?.folder
    const moved = !this.#last && marked !== undefined && marked !== this.#folder
    return moved
      ? `${this.#folder} is not there, and functions were in ${marked}`
      : `${this.#folder} was there and is gone`
  }

  #warnOfLoss(): void {
    if (!this.#isMarked) return
    const advice = `to do without them, remove ${this.#options.mark?.file} and restart`
    this.#warnOnce(`all functions are gone: messages wait until they are back; ${advice}`)
  }

  #noteGone(functions: Map<string, Found>): void {
    const now = this.#options.clock.now()
    for (const name of this.#last?.functions.keys() ?? []) if (!functions.has(name)) this.#goneAt.set(name, now)
    for (const name of this.#goneAt.keys()) {
      if (functions.has(name) || !this.#isJustGone(name)) this.#goneAt.delete(name)
    }
  }

  #warnOfLimits({ complete, namesComplete }: FolderReading): void {
    const limits = `${watchedEntriesMax} entries or ${watchedDepthMax} levels`
    if (!complete) this.#warnOnce(`more than ${limits}: changes of files beyond them are not noticed`)
    if (!namesComplete) this.#warnOnce(`more than ${namesMax} functions: messages for names beyond them wait`)
    if (!this.#watch.failure) return
    const { code } = this.#watch.failure as NodeJS.ErrnoException
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
