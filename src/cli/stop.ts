import { existsSync, readFileSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { readConfig } from '../config.ts'
import { endpointFile, isTaken, lockFile } from '../runtime/data-folder.ts'
import { processStart } from '../runtime/process-start.ts'
import { stopMsMax } from './shutdown.ts'

const pollEveryMs = 50
/** Time limit for a server to write its endpoint.json. */
const startMsMax = 10_000
/** The server ends itself after `stopMsMax`; the rest is for a busy machine. */
const waitMsMax = stopMsMax + 5_000

/** The process in endpoint.json; `processStart` only on systems that show it. */
interface ServerProcess {
  pid: number
  processStart?: string
}

/**
 * `carillon stop`: ends the server of a data folder by SIGTERM, and waits until it has ended. Exit code 0 if no server
 * uses the folder afterwards, also if none used it before.
 */
export async function stop(args: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  const { config } = readConfig(args, environment, (path) => readFileSync(path, 'utf8'))
  const folder = resolve(config.dataDir)
  requireDataFolder(folder)
  if (!isTaken(folder)) {
    console.log(`no server runs in ${folder}`)
    return 0
  }
  const server = await findServer(folder)
  if (server) {
    terminate(server, folder)
    await waitForEnd(server, folder)
  }
  console.log(`the server in ${folder} has stopped${server ? ` (process ${server.pid})` : ''}`)
  return 0
}

/** Without permission a folder looks like no data folder, so permission is checked first. */
function requireDataFolder(folder: string): void {
  const lock = join(folder, lockFile)
  try {
    statSync(lock)
    readFileSync(lock)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EACCES' || code === 'EPERM') {
      throw new Error(`this user cannot read the data folder ${folder}: run the command as the server's user`)
    }
    throw new Error(`${folder} is not the data folder of a server: set --data-dir`)
  }
}

/** Waits for a server that is starting. Returns undefined if a server was stopping and has stopped. */
async function findServer(folder: string): Promise<ServerProcess | undefined> {
  for (let waitedMs = 0; waitedMs < startMsMax; waitedMs += pollEveryMs) {
    const server = readServer(folder)
    if (server) return server
    if (!isTaken(folder)) return undefined
    await setTimeout(pollEveryMs)
  }
  throw new Error(`the server in ${folder} is still starting or stopping: try again later, or end its process`)
}

function readServer(folder: string): ServerProcess | undefined {
  const file = join(folder, endpointFile)
  if (!existsSync(file)) return undefined
  const { pid, processStart } = JSON.parse(readFileSync(file, 'utf8')) as Partial<ServerProcess>
  if (!Number.isSafeInteger(pid) || pid! < 1) throw new Error(`${file} does not say which process the server is`)
  return { pid: pid!, ...(processStart !== undefined && { processStart }) }
}

/** The id may belong to another process: ids are reused, and a container has its own. */
function terminate(server: ServerProcess, folder: string): void {
  const { pid } = server
  if (hasEnded(server)) {
    throw new Error(
      `process ${pid} is not the server of ${folder}: it runs in a container or on another machine; stop it there`,
    )
  }
  try {
    process.kill(pid, 'SIGTERM')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EPERM') throw new Error(`process ${pid} belongs to another user: stop it as that user`)
    if (code !== 'ESRCH') throw error
  }
}

function hasEnded({ pid, processStart: start }: ServerProcess): boolean {
  if (start !== undefined) return processStart(pid) !== start
  try {
    process.kill(pid, 0)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH'
  }
}

/** A supervisor may have started the next server already: then the folder is locked, but this process has ended. */
async function waitForEnd(server: ServerProcess, folder: string): Promise<void> {
  for (let waitedMs = 0; waitedMs < waitMsMax; waitedMs += pollEveryMs) {
    if (!isTaken(folder) || hasEnded(server)) return
    await setTimeout(pollEveryMs)
  }
  throw new Error(
    `process ${server.pid} has not stopped within ${waitMsMax / 1000} s: kill -KILL ${server.pid} ends it, and nothing acknowledged is lost`,
  )
}
