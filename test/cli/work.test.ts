import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { describeWork } from '../../src/cli/work.ts'
import { scheduleWork } from '../../src/store/work.ts'
import { carillon } from '../support/carillon.ts'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'
import { createStoreFile } from '../support/store-file.ts'

suite('carillon work', () => {
  test('lists what comes next, beside a running server', async () => {
    const server = await startTestServer()
    const { channelArn: ChannelArn, owner: ChimeBearer } = await populate(server)
    await server.messaging.deleteChannel({ ChannelArn, ChimeBearer })
    const { status, stdout, stderr } = await carillon('work', '--data-dir', server.dataDir)
    assert.deepEqual([status, stderr], [0, ''])
    assert.ok(stdout.includes(`  purge-channel  ${ChannelArn}  due `), stdout)
    assert.match(stdout, /^ {2}forget-tokens {2}the store {2}due in \d+ (minutes|seconds)$/m)
  })

  test('says what is due, what is late, who does it and why a piece failed', async (context) => {
    const store = await (await createStoreFile(context)).open()
    const hour = 3_600_000
    assert.equal(await describeWork(store.read, 0), 'No background work is due.')
    await store.transaction(async (transaction) => {
      for (const [subject, dueAt] of [
        ['7', 0],
        ['8', 4 * hour],
        ['9', 9 * hour],
      ] as const)
        await scheduleWork(transaction, { kind: 'purge-channel', subject }, dueAt)
      await transaction.run(`UPDATE work SET owner = 'n1', failure = 'no such luck' WHERE subject = '7'`)
    })
    assert.deepEqual((await describeWork(store.read, 4 * hour + 119_000)).split('\n'), [
      'Due: 2',
      '  purge-channel  7  due for 4 hours, node n1 does it, its last piece failed: no such luck',
      '  purge-channel  8  due for 119 seconds',
      'Late: purge-channel, due for 4 hours',
      'Next:',
      '  purge-channel  9  due in 4 hours',
    ])
  })
})
