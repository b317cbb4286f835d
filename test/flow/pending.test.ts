import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countedMax, readPending } from '../../src/flow/pending.ts'
import type { Reader } from '../../src/store/store.ts'
import { heldMessage, openChannel, processors, readJob, verdictOn } from '../support/rows.ts'
import { createStoreFile } from '../support/store-file.ts'

test('waiting messages are counted by processor, the longest waiting first, without decided ones', async (t) => {
  const store = await (await createStoreFile(t)).open()
  await openChannel(store)
  const held = [
    heldMessage({ created_at: 1_000 }, processors(['young', 'ABORT'])),
    heldMessage({ created_at: 2_000 }, processors(['young', 'ABORT'])),
    heldMessage({ created_at: 500 }, processors(['old', 'ABORT'])),
    heldMessage({ created_at: 100 }, processors(['decided', 'ABORT'])),
  ]
  for (const message of held) await store.commit(message)
  const decided = await readJob(store.read, held[3]!.flow.step.callback_id)
  await store.commit(verdictOn(decided, {}, 3_000))

  assert.deepEqual(await readPending(store.read, 10_000), [
    { processor: 'old', messages: 1, oldestSeconds: 9.5 },
    { processor: 'young', messages: 2, oldestSeconds: 9 },
  ])
})

test('beyond the maximum of names, one entry has the rest', async (t) => {
  const store = await (await createStoreFile(t)).open()
  await openChannel(store)
  for (const [index, name] of ['a', 'b', 'c', 'd', 'a'].entries()) {
    await store.commit(heldMessage({ created_at: index * 1_000 }, processors([name, 'ABORT'])))
  }
  assert.deepEqual(await readPending(store.read, 10_000, 2), [
    { processor: 'a', messages: 2, oldestSeconds: 10 },
    { processor: 'b', messages: 1, oldestSeconds: 9 },
    { processor: 'other', messages: 2, oldestSeconds: 8 },
  ])
})

test('one function under several ARNs is one processor', async () => {
  const arn = (region: string) => `arn:aws:lambda:${region}:111122223333:function:redact`
  const rows = [
    { function_arn: arn('us-east-1'), messages: 2, oldest_at: 1_000 },
    { function_arn: arn('eu-west-1'), messages: 3, oldest_at: 4_000 },
  ]
  const asked: unknown[] = []
  const read: Reader = {
    get: async () => undefined,
    all: async <Row>(_sql: string, ...values: unknown[]) => {
      asked.push(...values)
      return rows as Row[]
    },
  }
  assert.deepEqual(await readPending(read, 5_000), [{ processor: 'redact', messages: 5, oldestSeconds: 4 }])
  assert.deepEqual(asked, [countedMax])
})
