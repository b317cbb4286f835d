import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { graceMs } from '../../../src/api/app-instances/retention.ts'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const { identity } = server

const put = (AppInstanceArn: string, RetentionDays?: number) =>
  identity.putAppInstanceRetentionSettings({
    AppInstanceArn,
    AppInstanceRetentionSettings: { ChannelRetentionSettings: { RetentionDays } },
  })

/** What it does to messages: test/upkeep/retention.test.ts. */
suite('PutAppInstanceRetentionSettings', () => {
  test('returns the settings and when the deletion begins, like GetAppInstanceRetentionSettings', async () => {
    const { appInstanceArn: AppInstanceArn } = await populate(server)
    const { $metadata: _, ...answer } = await put(AppInstanceArn, 7)
    assert.deepEqual(answer, {
      AppInstanceRetentionSettings: { ChannelRetentionSettings: { RetentionDays: 7 } },
      InitiateDeletionTimestamp: new Date(clock.now() + graceMs),
    })
    const { $metadata: __, ...read } = await identity.getAppInstanceRetentionSettings({ AppInstanceArn })
    assert.deepEqual(read, answer)
  })

  test('rejects an unknown AppInstance, and more than fifteen years', async () => {
    const { appInstanceArn } = await populate(server)
    await assertRefused(put(`${appInstanceArn}0`, 1), 'Forbidden', noAccess)
    await assertRefused(put(appInstanceArn, 5476), 'BadRequest', /retentionDays' .* less than or equal to 5475/)
    await assertRefused(put(appInstanceArn, 0), 'BadRequest', /retentionDays' .* greater than or equal to 1/)
  })
})
