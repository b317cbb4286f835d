import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const people = await populate(server)
const { appInstanceArn } = people
const describe = async (AppInstanceAdminArn: string, AppInstanceArn = appInstanceArn) =>
  (await server.identity.describeAppInstanceAdmin({ AppInstanceArn, AppInstanceAdminArn })).AppInstanceAdmin

suite('DescribeAppInstanceAdmin', () => {
  test('returns the admin with its current name, and since when', async () => {
    const Arn = await people.createUser('boss')
    clock.advance(1)
    const CreatedTimestamp = new Date(clock.now())
    await server.identity.createAppInstanceAdmin({ AppInstanceArn: appInstanceArn, AppInstanceAdminArn: Arn })
    clock.advance(1)
    const expected = { Admin: { Arn, Name: 'boss' }, AppInstanceArn: appInstanceArn, CreatedTimestamp }
    assert.deepEqual(await describe(Arn), expected)
    await server.identity.updateAppInstanceUser({ AppInstanceUserArn: Arn, Name: 'Chief', Metadata: '' })
    assert.deepEqual(await describe(Arn), { ...expected, Admin: { Arn, Name: 'Chief' } })
  })

  test('rejects a user that is no admin, an unknown one, and an ARN of something else', async () => {
    for (const arn of [people.member, people.user('nobody'), people.channelArn, appInstanceArn]) {
      await assertRefused(describe(arn), 'Forbidden', noAccess)
    }
  })

  test('rejects an unknown AppInstance and another one', async () => {
    const others = await populate(server)
    await assertRefused(describe(people.admin, `${appInstanceArn}0`), 'Forbidden', noAccess)
    await assertRefused(describe(people.admin, others.appInstanceArn), 'Forbidden', noAccess)
  })

  test('rejects what is no ARN', async () => {
    await assertRefused(describe('admin'), 'BadRequest', /'appInstanceAdminArn'/)
    await assertRefused(describe(people.admin, 'bells'), 'BadRequest', /'appInstanceArn'/)
  })
})
