import { readFileSync } from 'node:fs'

/** Of the fields in /proc/PID/stat behind the name, which stands in parentheses and may have any character in it. */
const startField = 19

/**
 * When a process started, only to be compared: with its id it names one process, since ids are used again. Undefined if
 * there is no such process, and on systems without /proc.
 */
export function processStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[startField]
  } catch {
    return undefined
  }
}
