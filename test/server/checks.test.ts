import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Readiness } from '../../src/admin/readiness.ts'
import { memoryBus } from '../../src/bus/memory.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { Shortages } from '../../src/runtime/shortage.ts'
import { checksOf } from '../../src/server/checks.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** The report of a server that met a full disk just now. */
function reportOnFullDisk(storesInFolder: boolean) {
  const clock = new ManualClock()
  const shortages = new Shortages({ clock, log: silentLog, count: () => {} })
  shortages.report('disk', 'ENOSPC')
  const checks = checksOf({
    clock,
    store: { ready: async () => {} },
    shortages,
    bus: memoryBus(),
    descriptors: { limit: () => 1_000, open: () => 10 },
    folder: import.meta.dirname,
    storesInFolder,
    phase: () => 'ready',
    logLag: () => 0,
    functionsReady: () => {},
  })
  return new Readiness(checks, clock).report()
}

test('a full disk of the data folder makes a server unready only if its messages are stored there', async () => {
  const onSqlite = await reportOnFullDisk(true)
  const onPostgres = await reportOnFullDisk(false)
  assert.deepEqual([onSqlite.ready, onPostgres.ready], [false, true])
  for (const { checks } of [onSqlite, onPostgres]) assert.equal(checks.disk, 'the server ran short of disk')
})
