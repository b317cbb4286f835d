import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, resolve } from 'node:path'
import { text } from 'node:stream/consumers'
import { bootstrapFile, hasExited } from './function-process.ts'

/** The user whom functions run as, where that is not the server's own. */
export interface FunctionsUser {
  uid: number
  gid: number
  /** A folder where this user may write: HOME and TMPDIR of its functions. */
  folder: string
}

/**
 * Finds the user, and tries as this user what a function will do. Throws an Error for the operator. A functions folder that
 * does not exist yet is no error, as without this setting.
 */
export async function findFunctionsUser(name: string, functionsFolder: string): Promise<FunctionsUser> {
  const fail = (problem: string): never => {
    throw new Error(`--functions-user ${name}: ${problem}`)
  }
  if (!process.getuid) return fail('this system has no users that a process can change to; leave the setting away')
  const { uid, gid } =
    (await findUser(name)) ?? fail('there is no such user in /etc/passwd; create it, or name another')
  if (uid === 0 || uid === process.getuid()) {
    return fail('functions would have the rights of the server; name a user who has no other use')
  }
  const trial = await tryAs({ uid, gid }, resolve(functionsFolder)).catch((error) => fail(advice(error)))
  const kept = trial.status === undefined ? undefined : keptRights(trial.status, { uid, gid })
  if (kept) fail(`its processes would keep rights of the server (${kept}); ${startedAsRoot}`)
  if (trial.unreadable) fail(`this user cannot read ${trial.unreadable}; change its mode, or move it elsewhere`)
  const folder = trial.writable ?? fail(`this user can write to none of ${temporaryFolders().join(', ')}; set TMPDIR`)
  return { uid, gid, folder }
}

/** A line of /etc/passwd is NAME:PASSWORD:UID:GID:… */
async function findUser(name: string): Promise<{ uid: number; gid: number } | undefined> {
  const lines = (await readFile('/etc/passwd', 'utf8')).split('\n').map((line) => line.split(':'))
  const [, , uid, gid] = lines.find((line) => line[0] === name) ?? []
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) }
}

const temporaryFolders = () => [...new Set([tmpdir(), '/tmp', '/var/tmp'])]

/** The first path that is there and that the user cannot read, and the first folder that the user can write to. */
interface Trial {
  /** The status of a process of the user, from Linux's /proc/self/status. */
  status?: string
  unreadable?: string
  writable?: string
}

/** Runs as the user. The content of a folder is only visible if the folder can be entered, so folders are checked first. */
const trialCode = `
  const { accessSync, constants: { R_OK, W_OK, X_OK }, readFileSync, statSync } = require('node:fs')
  const { readable, writable } = JSON.parse(process.argv[1])
  const may = (path, mode) => { try { accessSync(path, mode); return true } catch (error) { return error.code === 'ENOENT' } }
  const isFolder = (path) => { try { return statSync(path).isDirectory() } catch { return false } }
  process.stdout.write(JSON.stringify({
    status: process.platform === 'linux' ? readFileSync('/proc/self/status', 'latin1') : undefined,
    unreadable: readable.find((path) => !may(path, isFolder(path) ? X_OK : R_OK)),
    writable: writable.find((path) => isFolder(path) && may(path, W_OK | X_OK)),
  }))
  process.stdout.end()
  process.stdin.resume()`

/** How long the trial may take, which is a Node that starts and looks at a few files. */
const trialMsMax = 10_000

async function tryAs(user: { uid: number; gid: number }, functionsFolder: string): Promise<Trial> {
  const paths = {
    readable: [...withFolders(bootstrapFile), ...withFolders(functionsFolder)],
    writable: temporaryFolders(),
  }
  const child = spawn(process.execPath, ['-e', trialCode, JSON.stringify(paths)], {
    ...user,
    cwd: '/',
    env: {},
    detached: true,
    stdio: ['pipe', 'pipe', 'ignore'],
    timeout: trialMsMax,
    killSignal: 'SIGKILL',
  })
  await once(child, 'spawn')
  try {
    // A process that this user still has from before may hold the output open.
    child.once('exit', () => child.stdout.destroy())
    const answer = await text(child.stdout).catch(() => '')
    if (answer === '' || hasExited(child)) throw new Error(`a trial as this user failed, or took ${trialMsMax} ms`)
    // The server must also be able to end what runs as this user.
    process.kill(child.pid as number, 'SIGKILL')
    return JSON.parse(answer)
  } finally {
    // It ends with its input, too.
    child.stdin.destroy()
  }
}

/**
 * The line of a process's status that gives it more than the user's rights. Linux takes the capabilities of a process that
 * changes from root to another user: not those of a server that is another user itself, not inheritable ones, and not under
 * some securebits. Supplementary groups stay where a user namespace denies setgroups.
 */
function keptRights(status: string, { uid, gid }: { uid: number; gid: number }): string | undefined {
  const isRight = (name: string, value: string): boolean => {
    if (name === 'Uid') return Number(value) === uid
    if (name === 'Gid' || name === 'Groups') return Number(value) === gid
    return !/^Cap(Inh|Prm|Eff|Amb)$/.test(name) || /^0+$/.test(value)
  }
  const fields = status.split('\n').map((line) => line.split(/:?\s+/).filter(Boolean))
  return fields.find(([name = '', ...values]) => !values.every((value) => isRight(name, value)))?.join(' ')
}

const withFolders = (path: string): string[] =>
  dirname(path) === path ? [path] : [...withFolders(dirname(path)), path]

const startedAsRoot =
  'start it as root, with CAP_SETUID, CAP_SETGID and CAP_KILL, without inheritable or ambient capabilities, or leave the setting away'

function advice(error: NodeJS.ErrnoException): string {
  if (error.code === 'EACCES') return `this user cannot run ${process.execPath}; change its mode, or move it elsewhere`
  if (error.code !== 'EPERM') return error.message
  return `the server may not change user; ${startedAsRoot}`
}
