import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import type { Log } from '../runtime/log.ts'
import { shortageOf } from '../runtime/shortage.ts'
import type { FunctionsUser } from './functions-user.ts'

/** A process that is being looked for may start another one meanwhile: we look again, at most so often. */
const roundsMax = 10
/** Processes looked at, at once. Each needs a file descriptor. */
const readsMax = 8

/**
 * Ends what functions leave running: processes that have left the function's process group, such as daemons. A child has
 * the token of its Runtime API in its environment, and so has everything that it starts, unless that is started with
 * another environment. Linux shows the environment of a process to its own user. Elsewhere nothing is found.
 */
export class Leftovers {
  #log: Log
  #user: FunctionsUser | undefined
  #tokens = new Set<string>()
  #looking: Promise<void> = Promise.resolve()
  #next: Promise<void> | undefined

  constructor(log: Log, user: FunctionsUser | undefined) {
    this.#log = log
    this.#user = user
  }

  /** Resolves when nothing with this token runs any more. One look serves all who asked before it began. */
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
      const ended = new Set<number>()
      for (let round = 0; round < roundsMax; round++) {
        const found = await processesWith(tokens, this.#user)
        if (found.length === 0) break
        for (const pid of found) if (kill(pid)) ended.add(pid)
      }
      if (ended.size > 0) this.#log.debug({ pids: [...ended] }, 'ended processes that a function left running')
    } catch (error) {
      const { message: reason } = error as Error
      this.#log.warn({ reason }, 'could not look for processes that a function left running')
    }
  }
}

async function processesWith(tokens: string[], user: FunctionsUser | undefined): Promise<number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name))
  const having = user ? await searchAs(user, tokens, pids) : await search(tokens, pids)
  return having.map(Number)
}

async function search(tokens: string[], pids: string[]): Promise<string[]> {
  const found: string[] = []
  const left = pids.values()
  const look = async () => {
    for (const pid of left) {
      const environment = await readFile(`/proc/${pid}/environ`, 'latin1').catch(unlessShortage)
      if (tokens.some((token) => environment.includes(token))) found.push(pid)
    }
  }
  await Promise.all(Array.from({ length: readsMax }, look))
  return found
}

/** Root may not read the environments of another user without CAP_SYS_PTRACE, which containers lack. The user may. */
async function searchAs({ uid, gid }: FunctionsUser, tokens: string[], pids: string[]): Promise<string[]> {
  const files = pids.map((pid) => `/proc/${pid}/environ`)
  const options = { uid, gid, env: {}, cwd: '/', stdio: ['pipe', 'pipe', 'ignore'] as ['pipe', 'pipe', 'ignore'] }
  const grep = spawn('grep', ['-l', '-s', '-F', '-f', '-', '--', ...files], options)
  await once(grep, 'spawn')
  grep.stdin.on('error', () => {})
  grep.stdin.end(tokens.join('\n'))
  return [...(await text(grep.stdout)).matchAll(/^\/proc\/(\d+)\/environ$/gm)].map((match) => match[1] as string)
}

/** A process that has ended meanwhile, or is of another user, is none of ours. */
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
