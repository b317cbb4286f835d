import { type ChildProcess, spawn } from 'node:child_process'
import { extname, join } from 'node:path'
import { Shortage, type ShortageKind, shortageOf } from '../runtime/shortage.ts'
import { startFailedExitCode } from './bootstrap-terms.ts'
import { memorySizeMb } from './function-environment.ts'
import { BrokenFunction, type FunctionCode } from './function-files.ts'
import type { FunctionsUser } from './functions-user.ts'

/** What a child process is started with, besides the function's code. */
export interface Launch {
  environment: NodeJS.ProcessEnv
  /** The functions folder. */
  folder: string
  /** Whom it runs as; undefined for the server's own user. */
  user: FunctionsUser | undefined
}

/** Emitted JavaScript beside emitted JavaScript, because Node strips no types below node_modules. */
export const bootstrapFile = join(import.meta.dirname, `bootstrap${extname(import.meta.filename)}`)
const ownGroup = process.platform !== 'win32'

/** Throws the result of `startError` for an error. Some errors are emitted later, as the event `error`. */
export function startProcess(code: FunctionCode, { environment, folder, user }: Launch): ChildProcess {
  const options = [
    `--max-old-space-size=${memorySizeMb}`,
    '--disable-warning=ExperimentalWarning',
    '--disable-warning=MODULE_TYPELESS_PACKAGE_JSON',
  ]
  const given = [code.file, code.exportPath, String(process.pid), folder]
  try {
    return spawn(process.execPath, [...options, bootstrapFile, ...given], {
      cwd: code.taskRoot,
      env: environment,
      // With a uid, Node also drops the supplementary groups of the server.
      ...(user && { uid: user.uid, gid: user.gid }),
      // A group of its own can be killed as a whole, and an interrupt at the terminal is the server's affair.
      detached: ownGroup,
      windowsHide: true,
    })
  } catch (error) {
    throw startError(error as NodeJS.ErrnoException, code)
  }
}

/** The number of a process that has exited may be that of another one by now: do not signal it. */
export const hasExited = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null

/** Kills a child, with what it has started and what is still in its process group. */
export function killProcess({ pid }: ChildProcess): void {
  if (pid === undefined) return
  try {
    process.kill(ownGroup ? -pid : pid, 'SIGKILL')
  } catch {
    // It has ended already.
  }
}

/** The system's codes for a file or folder that is not there, or not to be read: the function was exchanged just now. */
const fileCodes = ['ENOENT', 'ENOTDIR', 'EACCES', 'EIO', 'ESTALE', 'ELOOP']

/** Why the system started no process. It is the server's own trouble, unless function.json asks for too much. */
export function startError(error: NodeJS.ErrnoException, code: FunctionCode): Error {
  const { code: errorCode = '', message } = error
  if (errorCode === 'E2BIG') return new BrokenFunction(`${code.file}: its environment is too large: ${message}`)
  const kind = shortageOf(error) ?? (fileCodes.includes(errorCode) ? 'functions folder' : 'processes')
  return new Shortage(kind, message, { cause: error })
}

/** How a process ended: one of the two. */
export interface Exit {
  exitCode: number | null
  signal: string | null
}

const firstLineLengthMax = 200

/**
 * Why a process ended before its bootstrap could say that it had started. The function's file has not been looked at by
 * then, so the server lacks something, such as threads. Only NODE_OPTIONS of function.json also has a say so early.
 */
export function earlyEndError(reason: string, printed: string, exit: Exit | undefined, code: FunctionCode): Error {
  const firstLine = printed.trim().split('\n', 1)[0]?.slice(0, firstLineLengthMax)
  const text = firstLine ? `${reason}: ${firstLine}` : reason
  const nodeStopped = exit !== undefined && exit.exitCode !== null && exit.exitCode !== startFailedExitCode
  if (nodeStopped && code.environment.NODE_OPTIONS !== undefined) {
    return new BrokenFunction(`${code.file}: ${text} (function.json sets NODE_OPTIONS)`)
  }
  return new Shortage(kindOf(reason, printed), text)
}

function kindOf(reason: string, printed: string): ShortageKind {
  // When memory runs out, Linux kills a process.
  if (reason.includes('SIGKILL') || /ENOMEM|out of memory|cannot allocate/i.test(printed)) return 'memory'
  return /EMFILE|ENFILE|too many open files/i.test(printed) ? 'descriptors' : 'processes'
}
