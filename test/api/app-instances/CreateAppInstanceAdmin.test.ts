import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused, invalidUser, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)
const promote = (AppInstanceAdminArn: string, AppInstanceArn = people.appInstanceArn) =>
  server.identity.createAppInstanceAdmin({ AppInstanceArn, AppInstanceAdminArn })

suite('CreateAppInstanceAdmin', () => {
  test('makes a user an admin, who may see every channel of the AppInstance', async () => {
    const arn = await people.createUser('boss')
    const see = () => server.messaging.describeChannel({ ChannelArn: people.channelArn, ChimeBearer: arn })
    await assertRefused(see(), 'Forbidden')
    const { AppInstanceAdmin, AppInstanceArn } = await promote(arn)
    assert.deepEqual(
      { AppInstanceAdmin, AppInstanceArn },
      {
        AppInstanceAdmin: { Arn: arn, Name: 'boss' },
        AppInstanceArn: people.appInstanceArn,
      },
    )
    await see()
  })

  test('rejects who is an admin already', () =>
    assertRefused(promote(people.admin), 'Conflict', 'The user is an AppInstanceAdmin already'))

  test('rejects an ARN that is not a user of the AppInstance', async () => {
    const others = await populate(server)
    await assertRefused(promote(people.user('nobody')), 'Forbidden', invalidUser)
    await assertRefused(promote(others.member), 'Forbidden', invalidUser)
    await assertRefused(promote(people.channelArn), 'Forbidden', invalidUser)
  })

  test('rejects an unknown AppInstance and malformed ARNs', async () => {
    await assertRefused(promote(people.member, `${people.appInstanceArn}0`), 'Forbidden', noAccess)
    await assertRefused(promote('member'), 'BadRequest', /'appInstanceAdminArn'/)
    await assertRefused(promote(people.member, 'here'), 'BadRequest', /'appInstanceArn'/)
  })

  test('rejects the 101st, and still a repetition as a Conflict', async () => {
    const full = await populate(server)
    const arns = await Promise.all(Array.from({ length: 100 }, (_, index) => full.createUser(`admin-${index}`)))
    const [first, ...others] = arns as [string, ...string[]]
    await Promise.all(others.map((arn) => promote(arn, full.appInstanceArn)))
    const text = 'The limit of 100 admins per AppInstance is reached'
    await assertRefused(promote(first, full.appInstanceArn), 'ResourceLimitExceeded', text)
    await assertRefused(promote(full.admin, full.appInstanceArn), 'Conflict')
  })
})
