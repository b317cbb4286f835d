import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, openSync, statSync, writeSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { suite, type TestContext, test } from 'node:test'
import { silentLog } from '../../src/runtime/log.ts'
import { backUpSqlite } from '../../src/store/sqlite-backup.ts'
import { StoreBroken } from '../../src/store/sqlite-errors.ts'
import { OutcomeUnknown, StoreUnavailable } from '../../src/store/store.ts'
import { probeEveryMs } from '../../src/store/write-health.ts'
import { fileLimitIsMissing, limitFiles } from '../support/file-limit.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { unlessRequired } from '../support/required.ts'
import { openChannel, plainMessage, readMessage } from '../support/rows.ts'
import { createStoreFile } from '../support/store-file.ts'
import { until } from '../support/until.ts'

const skip = unlessRequired(fileLimitIsMissing())
const ioError = /the disk reports an input\/output error \(SQLite code \d+\)/

/** A store in this process, whose writes to files can be made to fail. */
async function open(t: TestContext) {
  const file = await createStoreFile(t)
  const clock = new ManualClock()
  const said: string[] = []
  const log = {
    warn: (_fields: object, text: string) => void said.push(text),
    info: (_fields: object, text: string) => void said.push(text),
  }
  const store = await file.openWith({ clock, log })
  await openChannel(store)
  t.after(() => limitFiles(process.pid, 'unlimited'))
  return {
    file,
    clock,
    store,
    said,
    ready: () =>
      store.ready().then(
        () => true,
        () => false,
      ),
  }
}

suite('a disk that rejects a write', { skip }, () => {
  test('makes the store unready, and the next successful write makes it ready', async (t) => {
    const { store, said } = await open(t)
    await store.ready()
    const lost = plainMessage()
    limitFiles(process.pid, 4_096)
    await assert.rejects(store.commit(lost), StoreUnavailable)
    await assert.rejects(store.ready(), ioError)
    await assert.rejects(
      store.transaction((transaction) => transaction.run('DELETE FROM tag')),
      StoreUnavailable,
    )
    limitFiles(process.pid, 'unlimited')
    await assert.rejects(store.ready(), ioError)
    assert.equal((await store.commit(plainMessage())).result, 'accepted')
    await store.ready()
    assert.equal(await readMessage(store.read, lost.message.message_id), undefined)
    assert.deepEqual(said, ['the store cannot write: calls get 503 until it can', 'the store writes again'])
  })

  test('is probed once a second until a write succeeds, and not afterwards', async (t) => {
    const { store, clock, ready } = await open(t)
    assert.equal(clock.nextAlarmMs, undefined)
    limitFiles(process.pid, 4_096)
    await assert.rejects(store.commit(plainMessage()), StoreUnavailable)
    for (let probes = 0; probes < 3; probes += 1) {
      assert.equal(clock.nextAlarmMs, clock.now() + probeEveryMs)
      clock.advance(probeEveryMs)
      await until(() => clock.nextAlarmMs !== undefined)
      assert.equal(await ready(), false)
    }
    limitFiles(process.pid, 'unlimited')
    clock.advance(probeEveryMs)
    await until(ready)
    await new Promise(setImmediate)
    assert.equal(clock.nextAlarmMs, undefined)
  })

  test('is probed with the size of a real write: room for a few bytes is not enough', async (t) => {
    const { store, file, clock, ready } = await open(t)
    limitFiles(process.pid, 4_096)
    await assert.rejects(store.commit(plainMessage()), StoreUnavailable)
    limitFiles(process.pid, statSync(`${file.path}-wal`).size + 2 * 4_120)
    clock.advance(probeEveryMs)
    await until(() => clock.nextAlarmMs !== undefined)
    assert.equal(await ready(), false)
  })

  test('does not make the database grow by its probes', async (t) => {
    const { store, file, clock, ready } = await open(t)
    const sizes: number[] = []
    for (let failures = 0; failures < 3; failures += 1) {
      limitFiles(process.pid, 4_096)
      await assert.rejects(store.commit(plainMessage()), StoreUnavailable)
      limitFiles(process.pid, 'unlimited')
      clock.advance(probeEveryMs)
      await until(ready)
      execFileSync(process.execPath, ['-e', checkpoint, file.path])
      sizes.push(statSync(file.path).size)
    }
    assert.deepEqual(new Set(sizes).size, 1, `the file had ${sizes} bytes`)
  })

  test('to a temporary file of a read fails that read, and the store stays ready', async (t) => {
    const { store, clock, said, ready } = await open(t)
    // Too much for a sort in memory.
    const sorted = `WITH RECURSIVE number(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < 400000)
      SELECT max(n) FROM (SELECT n FROM number ORDER BY random() LIMIT 300000)`
    limitFiles(process.pid, 4_096)
    for (const warnings of [1, 1, 2]) {
      if (warnings === 2) clock.advance(60_000)
      await assert.rejects(store.read.get(sorted), StoreUnavailable)
      assert.equal(await ready(), true)
      const warning = 'the store cannot read: calls that need the data get 503'
      assert.deepEqual(said, Array(warnings).fill(warning))
    }
    assert.equal(clock.nextAlarmMs, undefined)
  })

  test('at COMMIT leaves the outcome of the write unknown, and reports that', async (t) => {
    const { store, file } = await open(t)
    // The statements fit into the cache of pages, so that only COMMIT writes.
    limitFiles(process.pid, 4_096)
    await assert.rejects(store.commit(plainMessage()), OutcomeUnknown)
    limitFiles(process.pid, 'unlimited')
    const next = plainMessage()
    await store.commit(next)
    const rows = await store.read.all<{ message_id: string }>('SELECT message_id FROM channel_message')
    assert.deepEqual(
      rows.map((row) => row.message_id),
      [next.message.message_id],
    )
    const whole = execFileSync(process.execPath, ['-e', integrity, file.path], { encoding: 'utf8' })
    assert.equal(whole.trim(), 'ok')
  })
})

// In another process: closing a file in this one would release the locks of the store.
const inNode = (sql: string, member: string) =>
  `const { DatabaseSync } = require('node:sqlite')
  console.log(new DatabaseSync(process.argv[1]).prepare(${JSON.stringify(sql)}).get().${member})`
const checkpoint = inNode('PRAGMA wal_checkpoint(TRUNCATE)', 'busy')
const integrity = inNode('PRAGMA integrity_check', 'integrity_check')

test('a lock of another process rejects a write, and the store stays ready', async (t) => {
  const file = await createStoreFile(t)
  const clock = new ManualClock()
  const store = await file.openWith({ clock, log: silentLog })
  await openChannel(store)
  using stranger = new DatabaseSync(file.path)
  stranger.exec('BEGIN IMMEDIATE')
  await assert.rejects(store.commit(plainMessage()), StoreUnavailable)
  await store.ready()
  assert.equal(clock.nextAlarmMs, undefined)
})

test('a corrupt file is reported once, and no further write is accepted', async (t) => {
  const file = await createStoreFile(t)
  const first = await file.open()
  await openChannel(first)
  const page = `SELECT rootpage FROM sqlite_schema WHERE name = 'channel_message'`
  const { rootpage = 0 } = (await first.read.get<{ rootpage: number }>(page)) ?? {}
  await file.close()
  const database = openSync(file.path, 'r+')
  writeSync(database, Buffer.alloc(512, 'noise'), 0, 512, (rootpage - 1) * 4_096)
  closeSync(database)
  const reported: Error[] = []
  const damaged = await file.openWith({
    clock: new ManualClock(),
    log: silentLog,
    owner: { random: () => 0.5, broken: (error) => void reported.push(error) },
  })
  for (let tries = 0; tries < 2; tries += 1) {
    await assert.rejects(damaged.commit(plainMessage()), (error) => {
      assert.ok(error instanceof StoreBroken)
      assert.match(error.message, /carillon\.db: its content is damaged .* Restore a backup into a new folder/)
      return true
    })
  }
  await assert.rejects(damaged.ready(), /its content is damaged/)
  assert.equal(reported.length, 1)
})

test('a database that is copied over the file is detected, even before the first check', async (t) => {
  const file = await createStoreFile(t)
  const owner = { random: () => 0.5, broken: assert.fail }
  const store = await file.openWith({ clock: new ManualClock(), log: silentLog, owner })
  const backup = `${file.path}.backup`
  backUpSqlite(file.path, backup)
  execFileSync('cp', [backup, file.path])
  assert.match((await store.checkFile()) ?? '', /^another database was copied over .*carillon\.db/)
})

test('rejectWrites rolls writes in flight back, with its reason', async (t) => {
  const store = await (await createStoreFile(t)).open()
  await openChannel(store)
  const message = plainMessage()
  const underWay = store.transaction(async (transaction) => {
    await transaction.run(`INSERT INTO setting VALUES ('half', 'done')`)
    store.rejectWrites('the file is gone')
  })
  const rejection = { name: 'Error', message: 'the file is gone' }
  await assert.rejects(underWay, rejection)
  await assert.rejects(store.commit(message), (error) => error instanceof StoreUnavailable)
  await assert.rejects(store.ready(), rejection)
  assert.equal(await store.read.get(`SELECT 1 FROM setting WHERE name = 'half'`), undefined)
})
