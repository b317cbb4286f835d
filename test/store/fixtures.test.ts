import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { readMigrations } from '../../src/store/migrate.ts'
import { findStepRows } from '../../src/store/step-rows.ts'
import type { MessageRow, StepRow } from '../../src/store/tables.ts'
import { lobby, verdictOn } from '../support/rows.ts'
import { createStoreFile } from '../support/store-file.ts'
import { fixturePath, fixtureVersions } from './fixtures.ts'

test('there is a store of every schema', () => {
  const versions = readMigrations().map(({ version }) => version)
  assert.deepEqual(fixtureVersions(), versions, 'write the missing one with `node test/store/write-fixture.ts`')
})

for (const version of fixtureVersions()) {
  test(`a store of schema ${version} is opened with all of its rows`, async (context) => {
    const file = await createStoreFile(context)
    const written = new DatabaseSync(file.path)
    written.exec(readFileSync(fixturePath(version), 'utf8'))
    written.close()
    const store = await file.open()
    const contents = async () =>
      (await store.read.all<MessageRow>('SELECT * FROM message_view ORDER BY seq')).map(
        ({ channel_arn, status, content }) => [channel_arn, status, content],
      )
    assert.deepEqual(await contents(), [
      [lobby, 'SENT', '"released"'],
      [lobby, 'PENDING', '"held"'],
    ])
    const step = await store.read.get<StepRow>('SELECT * FROM step_view')
    const job = await findStepRows(store.read, lobby, step?.callback_id ?? '')
    assert.ok(job?.message)
    const decided = await store.commit(verdictOn({ ...job, message: job.message }, {}, 1))
    assert.equal(decided.result, 'decided')
    assert.deepEqual((await contents())[1], [lobby, 'SENT', '"held"'])
  })
}
