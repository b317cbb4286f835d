import { readdirSync, readFileSync } from 'node:fs'

/*
 * Reads facts about processes from proc(5). Linux only, as the benchmarks are.
 */

/** Linux reports processor time in hundredths of a second. */
const tickUs = 10_000

/**
 * The fields of /proc/PID/stat after the name, which may have any character in it. Undefined if the process is gone.
 */
function statOf(pid: number): string[] | undefined {
  const text = readText(`/proc/${pid}/stat`)
  return text?.slice(text.lastIndexOf(')') + 2).split(' ')
}

/** Distinguishes a process from a later one with the same id. */
export const startOf = (pid: number): string | undefined => statOf(pid)?.[19]

/** The living children, their children, and so on. */
export function descendantsOf(pid: number): number[] {
  const children = tasksOf(pid).flatMap((task) => numbers(readText(`/proc/${pid}/task/${task}/children`)))
  return children.flatMap((child) => [child, ...descendantsOf(child)])
}

/** Processor time so far, in µs. */
export interface CpuTime {
  own: number
  /** The sum of all living descendants, and of those that have ended and were waited for. */
  children: number
}

export function cpuTimeOf(pid: number): CpuTime {
  const living = descendantsOf(pid).reduce((sum, child) => sum + sumOf(child, [11, 12, 13, 14]), 0)
  return { own: sumOf(pid, [11, 12]) * tickUs, children: (living + sumOf(pid, [13, 14])) * tickUs }
}

/** utime, stime, cutime and cstime are the fields 11 to 14. */
const sumOf = (pid: number, fields: number[]) =>
  fields.reduce((sum, field) => sum + Number(statOf(pid)?.[field] ?? 0), 0)

/** Bytes that the process had written to a disk: the pages of files that it made dirty. */
export function writtenBytesOf(pid: number): number {
  return Number(/^write_bytes: (\d+)$/m.exec(readText(`/proc/${pid}/io`) ?? '')?.[1] ?? 0)
}

/** Memory that is the process's own or shared, in bytes. */
export function residentBytesOf(pid: number): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readText(`/proc/${pid}/status`) ?? '')?.[1] ?? 0) * 1024
}

function tasksOf(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`)
  } catch {
    return []
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

const numbers = (text = '') => text.split(' ').filter(Boolean).map(Number)
