import { closeSync, openSync, readdirSync, readFileSync } from 'node:fs'
import { devNull } from 'node:os'

/** O_CLOEXEC of Linux, as /proc shows it: what has it is closed where another program starts. */
const closedOnExec = 0o2000000
/** Descriptors above this one are not looked at: each below takes an entry for each process that starts. */
const descriptorMax = 1024

/**
 * Node opens everything so that no child process inherits it. Not so the descriptors that the server has inherited itself
 * from what started it, such as a supervisor's log or socket, if their numbers are not the lowest.
 */
function findInherited(): number[] {
  const isInherited = (descriptor: number): boolean => {
    try {
      const info = readFileSync(`/proc/self/fdinfo/${descriptor}`, 'latin1')
      const [, flags = ''] = /^flags:\s*([0-7]+)$/m.exec(info) ?? []
      return flags !== '' && (Number.parseInt(flags, 8) & closedOnExec) === 0
    } catch {
      return false
    }
  }
  const descriptors = readdirSync('/proc/self/fdinfo').map(Number)
  return descriptors.filter((descriptor) => descriptor > 2 && descriptor <= descriptorMax).filter(isInherited)
}

/** A descriptor for nothing. Where one is to be put in the place of a lower one, a process that starts needs no further. */
function openNothingAbove(descriptor: number): number {
  const nothing = openSync(devNull, 'r')
  if (nothing > descriptor) return nothing
  try {
    return openNothingAbove(descriptor)
  } finally {
    closeSync(nothing)
  }
}

/** What a child process gets besides its standard streams: nothing in the place of each descriptor that it would inherit. */
function findPlaces(): ('ignore' | number)[] {
  if (process.platform !== 'linux') return []
  try {
    const inherited = findInherited()
    const last = Math.max(2, ...inherited)
    const nothing = last > 2 ? openNothingAbove(last) : 0
    // With 'ignore', a child process inherits what is there.
    return Array.from({ length: last - 2 }, (_, index) => (inherited.includes(index + 3) ? nothing : 'ignore'))
  } catch {
    // There is no /proc, or the process may not have so many descriptors any more.
    return []
  }
}

/** Known when the server starts: later there are only more of Node's own. */
const places = findPlaces()

type Standard = 'pipe' | 'ignore'

/** The three given ones, and no descriptor that the server has inherited. */
export const withoutInherited = <In extends Standard, Out extends Standard, Err extends Standard>(
  three: [In, Out, Err],
): [In, Out, Err] => [...three, ...places] as never
