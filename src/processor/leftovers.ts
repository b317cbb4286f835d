import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import type { Clock } from '../runtime/clock.ts'
import { inTime } from '../runtime/in-time.ts'
import type { Log } from '../runtime/log.ts'
import { shortageOf } from '../runtime/shortage.ts'
import { hasExited, killProcess } from './function-process.ts'
import type { FunctionsUser } from './functions-user.ts'

/** Maximum of scans: a process may start another one during a scan, so the scan is repeated. */
const roundsMax = 10
/** A process can make the reading of its environment last for ever, and can stop a search that runs as its own user. */
const searchMsMax = 5_000
/** Processes looked at, at once. Each needs a file descriptor. */
const readsMax = 8

/**
 * Ends what functions leave running: processes that have left the function's process group, such as daemons. A child has
 * the token of its Runtime API in its environment, and so has everything that it starts, unless that is started with
 * another environment. Linux shows the environment of a process to its own user. Elsewhere nothing is found.
 */
export class Leftovers {
  #log: Log
  #clock: Clock
  #user: FunctionsUser | undefined
  #tokens = new Set<string>()
  #looking: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(log: Log, clock: Clock, user: FunctionsUser | undefined) {
    this.#log = log
    this.#clock = clock
    this.#user = user
  }

  /** Resolves when nothing with this token runs any more, or the search has failed. One look serves all who asked before it began. */
  end(token: string): Promise<void> {
    this.#tokens.add(token)
    this.#next ??= this.#looking.then(() => {
      const tokens = [...this.#tokens]
      this.#tokens.clear()
      this.#next = undefined
      this.#looking = this.#endAll(tokens)
      return this.#looking
    })
    return this.#next
  }

  async #endAll(tokens: string[]): Promise<void> {
    if (process.platform !== 'linux') return
    try {
      const work = this.#user
        ? this.#endAs(this.#user, tokens)
        : inTime(this.#clock, search, searchMsMax, endOwn(tokens))
      if (await work) this.#log.debug({}, 'ended processes that a function left running')
    } catch (error) {
      const { message: reason } = error as Error
      this.#log.warn({ reason }, 'could not look for processes that a function left running')
    }
  }

  /**
   * A process of the user searches and kills, so that the system lets it end nothing but processes of that user. Functions
   * may do with it as they like: the server kills nothing that it names. Besides, root may not read the environments of
   * another user without CAP_SYS_PTRACE, which containers lack.
   */
  async #endAs({ uid, gid }: FunctionsUser, tokens: string[]): Promise<boolean> {
    const searcher = spawn('/bin/sh', ['-c', searchScript], {
      uid,
      gid,
      env: {},
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    })
    try {
      searcher.stdin.on('error', () => {})
      searcher.stdin.end(`${tokens.join(' ')}\n`)
      const [exitCode, signal] = await inTime(this.#clock, search, searchMsMax, once(searcher, 'exit'))
      if (exitCode !== 0 && exitCode !== endedSome) throw new Error(`${search} ended with ${signal ?? exitCode}`)
      return exitCode === endedSome
    } finally {
      if (!hasExited(searcher)) killProcess(searcher)
      searcher.stdin.destroy()
    }
  }
}

const search = 'the search for processes that a function left running'
const endedSome = 10

/** The tokens come as one line, so that none is cut off. They must be in no arguments: every user can read those. */
const searchScript = `
  read -r tokens && [ -n "$tokens" ] && command -v grep || exit 1
  result=0
  for round in ${Array.from({ length: roundsMax }, (_, round) => round).join(' ')}; do
    set -- $(printf '%s\\n' $tokens | grep -l -s -F -f - -- /proc/[0-9]*/environ)
    [ $# -gt 0 ] || break
    result=${endedSome}
    for file do pid=\${file#/proc/}; kill -KILL "\${pid%/environ}"; done
  done
  exit $result`

/** True when there was something to end. */
async function endOwn(tokens: string[]): Promise<boolean> {
  for (let round = 0; round < roundsMax; round++) if (!(await endFound(tokens))) return round > 0
  return true
}

/** A process is killed as soon as its environment has been read: its number may soon be that of another one. */
async function endFound(tokens: string[]): Promise<boolean> {
  let isFound = false
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
  const left = pids.values()
  const look = async () => {
    for (const pid of left) {
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(unlessShortage)
      if (tokens.some((token) => environment.includes(token)) && kill(Number(pid))) isFound = true
    }
  }
  await Promise.all(Array.from({ length: readsMax }, look))
  return isFound
}

/** Ignores a process that has ended in the meantime, or belongs to another user. */
function unlessShortage(error: unknown): string {
  if (shortageOf(error)) throw error
  return ''
}

function kill(pid: number): boolean {
  try {
    return process.kill(pid, 'SIGKILL')
  } catch {
    return false
  }
}
