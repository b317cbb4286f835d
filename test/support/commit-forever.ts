import { writeSync } from 'node:fs'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { SqliteStore } from '../../src/store/sqlite.ts'
import { plainMessage } from './rows.ts'

/** Commits to the given store until it is killed, and prints the id of each message once that is acknowledged. */
const store = new SqliteStore(process.argv[2] ?? '', { clock: systemClock, log: silentLog })
for (;;) {
  const batch = Array.from({ length: 7 }, () => plainMessage())
  await Promise.all(
    batch.map(async (change) => {
      await store.commit(change)
      writeSync(1, `${change.message.message_id}\n`)
    }),
  )
}
