import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ManualClock } from '../../support/manual-clock.ts'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const { AppInstanceArn } = await server.identity.createAppInstance({ Name: 'Bells' })
const describe = async (AppInstanceUserArn: string) =>
  (await server.identity.describeAppInstanceUser({ AppInstanceUserArn })).AppInstanceUser

suite('DescribeAppInstanceUser', () => {
  test('returns the members of its creation, and the time', async () => {
    const created = { Name: 'Ann 🔔\n\ud800', Metadata: '\0' }
    await server.identity.createAppInstanceUser({ AppInstanceArn, AppInstanceUserId: 'ann@example.com', ...created })
    const AppInstanceUserArn = `${AppInstanceArn}/user/ann@example.com`
    const at = new Date(clock.now())
    const expected = { AppInstanceUserArn, ...created, CreatedTimestamp: at, LastUpdatedTimestamp: at }
    assert.deepEqual(await describe(AppInstanceUserArn), expected)
  })

  test('rejects an unknown user, an ARN of something else, and what is no ARN', async () => {
    await assertRefused(describe(`${AppInstanceArn}/user/nobody`), 'Forbidden', noAccess)
    await assertRefused(describe(AppInstanceArn!), 'Forbidden', noAccess)
    await assertRefused(describe('nobody'), 'BadRequest', /'appInstanceUserArn'/)
  })
})
