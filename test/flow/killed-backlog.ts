import { silentLog } from '../../src/runtime/log.ts'
import { SqliteStore } from '../../src/store/sqlite.ts'
import { acceptBacklog } from '../support/backlog.ts'
import { ManualClock } from '../support/manual-clock.ts'

/*
 * A process that accepts a backlog and then kills itself, as if the power went: `node killed-backlog.ts FILE MESSAGES`.
 * What it has accepted stands on its standard output, in order.
 */
const [path = '', messages = ''] = process.argv.slice(2)
const store = new SqliteStore(path, { clock: new ManualClock(0), log: silentLog })
const ids = await acceptBacklog(store, Number(messages))
process.stdout.write(JSON.stringify(ids), () => process.kill(process.pid, 'SIGKILL'))
