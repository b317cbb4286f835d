import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readConfig } from '../../src/config.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { startServer } from '../../src/server.ts'

const world = { clock: systemClock, log: silentLog, newId: randomUUID, random: Math.random }

test('a taken port gives way to a free one if it was not asked for, and fails the start if it was', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-preset-port-'))
  t.after(() => rm(folder, { recursive: true }))
  // Another program of this machine may have the preset port: then it is taken as well.
  const other = createServer().listen(9080, '127.0.0.1')
  await once(other, 'listening').catch(() => {})
  t.after(() => other.close())
  const flags = ['--data-dir', join(folder, 'data'), '--http-port', '0', '--https-port', '0']
  const server = await startServer(readConfig(flags, {}, () => '').config, world)
  const { admin = '' } = server.endpoint
  try {
    assert.notEqual(new URL(admin).port, '9080')
    assert.equal((await fetch(`${admin}/livez`)).status, 200)
  } finally {
    await server.close()
  }
  const { config } = readConfig([...flags, '--admin-port', '9080'], {}, () => '')
  await assert.rejects(startServer(config, world), { code: 'EADDRINUSE', port: 9080 })
})
