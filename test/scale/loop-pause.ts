import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'

/*
 * Loaded into a server before its own program: a request to the socket that LOOP_PAUSE_SOCKET names gets the longest pauses
 * of the event loop since the last request.
 */

/** Maxima, each of all pauses. */
export interface LoopPause {
  /** From the end of one turn of the event loop to that of the next. */
  allMs: number
  /** Without the time in which this thread was ready to run and other threads had the processors. */
  ownMs: number
  /** The processor time of this thread alone: it does not wait for the disk, or for threads that collect its garbage. */
  cpuMs: number
}

const everyMs = 1
const none: LoopPause = { allMs: 0, ownMs: 0, cpuMs: 0 }

/** Linux counts how long a thread that is ready to run waits for a processor: the second number, in nanoseconds. */
function waitedMs(): number {
  try {
    return Number(readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ')[1]) / 1e6
  } catch {
    return 0
  }
}

function cpuMs(): number {
  const { user, system } = process.threadCpuUsage()
  return (user + system) / 1000
}

const look = () => ({ at: performance.now(), waited: waitedMs(), cpu: cpuMs() })

let longest = none
let last = look()

function tick(): void {
  const now = look()
  const allMs = now.at - last.at - everyMs
  const ownMs = allMs - (now.waited - last.waited)
  longest = {
    allMs: Math.max(longest.allMs, allMs),
    ownMs: Math.max(longest.ownMs, ownMs),
    cpuMs: Math.max(longest.cpuMs, now.cpu - last.cpu),
  }
  last = now
  setTimeout(tick, everyMs).unref()
}

tick()
createServer((_, response) => {
  response.end(JSON.stringify(longest))
  longest = none
})
  .listen(process.env.LOOP_PAUSE_SOCKET)
  .unref()
