import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { silentLog } from '../../src/runtime/log.ts'
import { CheckpointThread } from '../../src/store/checkpoint-thread.ts'
import { truncateAfterMs } from '../../src/store/wal-truncation.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { createStoreFile } from '../support/store-file.ts'
import { until } from '../support/until.ts'

/** Each of these rows takes two pages of 4,096 bytes. */
const rowText = 'x'.repeat(8_000)
const rowsAtOnce = 100

async function open(t: TestContext) {
  const file = await createStoreFile(t)
  const clock = new ManualClock()
  const store = await file.openWith({ clock, log: silentLog })
  const other = new DatabaseSync(file.path, { readOnly: true })
  t.after(() => other.close())
  let written = 0
  /** Writes 200 pages in one commit. */
  const write = async () => {
    const from = written
    written += rowsAtOnce
    await store.transaction(async (transaction) => {
      for (let row = from; row < from + rowsAtOnce; row += 1) {
        await transaction.insert('setting', { name: `row ${row}`, value: rowText })
      }
    })
  }
  /** Pages of the write-ahead log, and how many of them are in the file. */
  const pages = () => other.prepare('PRAGMA wal_checkpoint(NOOP)').get() as { log: number; checkpointed: number }
  const isCopied = () => pages().log === pages().checkpointed
  const rows = () => other.prepare("SELECT count(*) AS n FROM setting WHERE name LIKE 'row %'").get()?.n
  return { clock, store, write, written: () => written, pages, isCopied, rows, other }
}

test('a long write-ahead log is copied into the file, and the next write begins it again', async (t) => {
  const { write, written, pages, isCopied, rows, other } = await open(t)
  while (pages().log < 2_200) await write()
  await until(isCopied)
  const before = pages().log
  await write()
  assert.ok(pages().log < before, `the log has ${pages().log} pages, and had ${before}`)
  assert.equal(rows(), written())
  assert.deepEqual({ ...other.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
})

test('a short one stays as it is', async (t) => {
  const { write, pages } = await open(t)
  for (let commits = 0; commits < 5; commits += 1) await write()
  assert.equal(pages().checkpointed, 0)
})

test('it is copied while others write without a pause and erase texts, and none of their writes fails', async (t) => {
  const { clock, store, write, pages, other } = await open(t)
  let isOver = false
  const writer = async () => {
    while (!isOver) {
      await write()
      await store.transaction(async (transaction) => {
        await transaction.run("DELETE FROM setting WHERE name LIKE 'row %'")
        transaction.erasesText()
      })
      clock.advance(truncateAfterMs)
      // Else the event loop, and with it the thread's messages, would have no turn.
      await setImmediate()
    }
  }
  const writers = Promise.all([writer(), writer(), writer()])
  let [restarts, longest] = [0, 0]
  await until(() => {
    const { log } = pages()
    if (log < longest) restarts += 1
    longest = log < longest ? 0 : log
    return restarts >= 3
  })
  isOver = true
  await writers
  assert.deepEqual({ ...other.prepare('PRAGMA integrity_check').get() }, { integrity_check: 'ok' })
})

test('a round of checkpoints begins when the one before it has ended, even if that fails', async () => {
  const thread = new CheckpointThread('no file is opened')
  const end = Promise.withResolvers<void>()
  const rounds: string[] = []
  const first = thread.round(async () => {
    rounds.push('first')
    await end.promise
  })
  const second = thread.round(async () => void rounds.push('second'))
  await setImmediate()
  assert.deepEqual(rounds, ['first'])
  end.reject(new Error('the thread ended'))
  await assert.rejects(first, /the thread ended/)
  await second
  assert.deepEqual(rounds, ['first', 'second'])
})
