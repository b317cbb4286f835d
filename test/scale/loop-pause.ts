import { createServer } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'

/*
 * Loaded into a server before its own program: a request to the socket that LOOP_PAUSE_SOCKET names gets the longest pause
 * of the event loop since the last request, in milliseconds.
 */
const delay = monitorEventLoopDelay({ resolution: 1 })
delay.enable()
createServer((_, response) => {
  response.end(String(delay.max / 1e6))
  delay.reset()
})
  .listen(process.env.LOOP_PAUSE_SOCKET)
  .unref()
