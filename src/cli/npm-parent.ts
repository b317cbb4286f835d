import { type Cancel, type Clock, every } from '../runtime/clock.ts'

const lookEveryMs = 500

/** npx and npm's scripts with nothing but Carillon in them: `carillon serve`, `node bin/carillon.js serve`. */
const carillonAlone = /^'?(node \S*\/)?carillon(\.js)?'?(\s[^&;|\n]*)?$/

/**
 * Whether npm runs this command and waits for it. A script such as `carillon serve & vite` goes on without it, and may
 * leave it running.
 */
export function isRunByNpm(environment: NodeJS.ProcessEnv): boolean {
  return carillonAlone.test(environment.npm_lifecycle_script ?? '')
}

/**
 * Calls `ended` once when the shell between npm and this process is gone. npm passes a SIGTERM on to that shell only,
 * which dies of it and leaves the server running.
 */
export function whenNpmEnds(environment: NodeJS.ProcessEnv, clock: Clock, ended: () => void): Cancel {
  const parent = process.ppid
  if (!isRunByNpm(environment)) return () => {}
  const cancel = every(clock, lookEveryMs, () => {
    if (process.ppid === parent) return
    cancel()
    ended()
  })
  return cancel
}
