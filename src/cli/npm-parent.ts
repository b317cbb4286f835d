import { type Cancel, type Clock, every } from '../runtime/clock.ts'

const pollEveryMs = 500

/** npx, and npm's scripts that run only Carillon: `carillon serve`, `node bin/carillon.js serve`. */
const carillonAlone = /^'?(node \S*\/)?carillon(\.js)?'?(\s[^&;|\n]*)?$/

/**
 * Whether npm runs this command and waits for it. A script such as `carillon serve & vite` does not wait for the
 * server, and may leave it running.
 */
export function isRunByNpm(environment: NodeJS.ProcessEnv): boolean {
  return carillonAlone.test(environment.npm_lifecycle_script ?? '')
}

/**
 * Calls `ended` once when the shell between npm and this process is gone. npm forwards a SIGTERM to that shell only,
 * which ends and leaves the server running.
 */
export function whenNpmEnds(environment: NodeJS.ProcessEnv, clock: Clock, ended: () => void): Cancel {
  const parent = process.ppid
  if (!isRunByNpm(environment)) return () => {}
  const cancel = every(clock, pollEveryMs, () => {
    if (process.ppid === parent) return
    cancel()
    ended()
  })
  return cancel
}
