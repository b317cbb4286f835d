import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { suite, type TestContext, test } from 'node:test'
import { silentLog } from '../../src/runtime/log.ts'
import type { CheckpointLimits } from '../../src/store/checkpoint-thread.ts'
import { truncateAfterMs } from '../../src/store/wal-truncation.ts'
import { probeEveryMs } from '../../src/store/write-health.ts'
import { filesWith } from '../support/files-with.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { heldMessage, openChannel, plainMessage, readJob, verdictOn } from '../support/rows.ts'
import { createStoreFile, type StoreFile } from '../support/store-file.ts'
import { until } from '../support/until.ts'

const secret = 'a text that must not stay'

async function open(t: TestContext, checkpoints?: CheckpointLimits) {
  const file = await createStoreFile(t)
  const clock = new ManualClock()
  const said: string[] = []
  const log = {
    warn: (_fields: object, text: string) => void said.push(text),
    info: (_fields: object, text: string) => void said.push(text),
  }
  const store = await file.openWith({ clock, log, ...(checkpoints && { checkpoints }) })
  await openChannel(store)
  return { file, clock, said, store }
}

type Opened = Awaited<ReturnType<typeof open>>

const filesWithSecret = ({ file }: { file: StoreFile }) => filesWith(secret, dirname(file.path))

async function denySecret({ store }: Opened): Promise<void> {
  const held = heldMessage({ content: JSON.stringify(secret) })
  await store.commit(held)
  await store.commit(verdictOn(await readJob(store.read, held.flow.step.callback_id), { deny: true }))
}

suite('a denied text', () => {
  test('is in no file of the folder after some seconds', async (t) => {
    const opened = await open(t)
    await denySecret(opened)
    assert.ok((await filesWithSecret(opened)).length > 0, 'the write-ahead log had the text before')
    opened.clock.advance(truncateAfterMs)
    await until(() => statSync(`${opened.file.path}-wal`).size === 0)
    assert.deepEqual(await filesWithSecret(opened), [])
    assert.deepEqual(opened.said, [])
  })

  test('is removed when the reader that blocks the truncation ends; meanwhile there is a warning', async (t) => {
    const opened = await open(t)
    const { file, clock, said } = opened
    using reader = new DatabaseSync(file.path, { readOnly: true })
    await opened.store.commit(plainMessage())
    reader.exec('BEGIN')
    reader.prepare('SELECT count(*) FROM channel_message').get()
    await denySecret(opened)
    clock.advance(truncateAfterMs)
    for (const pauseMs of [1_000, 2_000, 4_000, 5_000, 5_000]) {
      await until(() => clock.hasAlarmAt(clock.now() + pauseMs))
      assert.ok((await filesWithSecret(opened)).length > 0)
      clock.advance(pauseMs)
    }
    const kept = 'erased text stays in the write-ahead log for now; trying again'
    await until(() => clock.nextAlarmMs !== undefined)
    assert.deepEqual(said, [kept])
    reader.exec('COMMIT')
    clock.advance(5_000)
    await until(() => statSync(`${file.path}-wal`).size === 0)
    assert.deepEqual(await filesWithSecret(opened), [])
    await until(() => said.length === 2)
    assert.deepEqual(said, [kept, 'erased text is gone from the write-ahead log'])
    assert.equal(clock.nextAlarmMs, undefined)
  })

  test('is removed during steady sends, and no write fails', async (t) => {
    const opened = await open(t)
    const { clock, store } = opened
    let isOver = false
    let written = 0
    const send = async () => {
      while (!isOver) {
        assert.equal((await store.commit(plainMessage())).result, 'accepted')
        await store.transaction((transaction) => transaction.run('DELETE FROM tag'))
        written += 1
      }
    }
    const senders = Promise.all(Array.from({ length: 8 }, send))
    for (let rounds = 0; rounds < 5; rounds += 1) {
      await denySecret(opened)
      const before = written
      clock.advance(truncateAfterMs)
      await until(async () => (await filesWithSecret(opened)).length === 0)
      await until(() => written > before)
      await until(() => clock.nextAlarmMs === undefined)
    }
    isOver = true
    await senders
  })
})

test('a checkpoint that hangs with the lock makes the store unready until a write succeeds', async (t) => {
  // A thread that waits for a reader for so long keeps the lock, as with a disk that hangs.
  const opened = await open(t, { busyMs: 60_000, allMs: 1_000 })
  const { clock, store, file } = opened
  const isReady = () =>
    store.ready().then(
      () => true,
      () => false,
    )
  using reader = new DatabaseSync(file.path, { readOnly: true })
  reader.exec('BEGIN')
  reader.prepare('SELECT count(*) FROM channel_message').get()
  await denySecret(opened)
  await until(async () => {
    clock.advance(truncateAfterMs)
    return !(await isReady())
  })
  await assert.rejects(store.ready(), /a checkpoint of the write-ahead log takes more than 1000 ms/)
  await assert.rejects(store.commit(plainMessage()), /another process is writing/)
  assert.equal(await isReady(), false)
  reader.exec('COMMIT')
  await until(async () => {
    clock.advance(probeEveryMs)
    return isReady()
  })
  assert.equal((await store.commit(plainMessage())).result, 'accepted')
})

test('without an erased text, nothing is truncated and no thread is started', async (t) => {
  const { store, clock, file } = await open(t)
  await store.commit(plainMessage())
  const held = heldMessage()
  await store.commit(held)
  await store.commit(verdictOn(await readJob(store.read, held.flow.step.callback_id)))
  assert.equal(clock.nextAlarmMs, undefined)
  assert.ok(statSync(`${file.path}-wal`).size > 0)
})

test('erased text in the log of a killed server is removed at the next start', async (t) => {
  const opened = await open(t)
  await denySecret(opened)
  // The files as after a kill: a store removes its log when it closes.
  const other = await createStoreFile(t)
  execFileSync('cp', [opened.file.path, `${opened.file.path}-wal`, dirname(other.path)])
  assert.deepEqual(await filesWithSecret({ file: other }), [`${other.path}-wal`])
  const owner = { random: Math.random, broken: assert.fail }
  await other.openWith({ clock: new ManualClock(), log: silentLog, owner })
  assert.deepEqual(await filesWithSecret({ file: other }), [])
})
