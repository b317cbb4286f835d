import { randomUUID } from 'node:crypto'
import { readConfig } from '../../src/config.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { startServer } from '../../src/server.ts'
import { ManualClock } from '../support/manual-clock.ts'

/*
 * A whole server in a process of its own, whose clock its parent moves: `node stepped-server.ts START_MS FLAG…`. The parent
 * sends milliseconds, and hears when the clock has been moved.
 */
const [startMs, ...flags] = process.argv.slice(2)
const clock = new ManualClock(Number(startMs))
const { config } = readConfig(flags, process.env, () => '')
const server = await startServer(config, { clock, log: silentLog, newId: randomUUID, random: Math.random })
process.on('message', (byMs) => {
  clock.advance(Number(byMs))
  process.send?.({ now: clock.now() })
})
// The test's process ended without a word.
process.once('disconnect', () => process.kill(process.pid, 'SIGKILL'))
process.send?.({ endpoint: server.endpoint })
