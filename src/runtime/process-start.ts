import { readFileSync } from 'node:fs'

/**
 * The index among the fields of /proc/PID/stat after the name, which is in parentheses and may have any character in
 * it.
 */
const startField = 19

/**
 * When a process started, only to be compared: together with its id it identifies one process, because ids are reused.
 * Undefined if there is no such process, and on systems without /proc.
 */
export function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[startField]
  } catch {
    return undefined
  }
}
