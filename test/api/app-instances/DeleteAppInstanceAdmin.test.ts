import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess, outcomeOf } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)
const { identity, messaging } = server
const demote = (AppInstanceAdminArn: string, AppInstanceArn = people.appInstanceArn) =>
  identity.deleteAppInstanceAdmin({ AppInstanceArn, AppInstanceAdminArn })

suite('DeleteAppInstanceAdmin', () => {
  test('takes the rights of an admin from a user, who keeps its others', async () => {
    const { channelArn: ChannelArn, admin: ChimeBearer } = people
    const member = { ChannelArn, MemberArn: ChimeBearer, Type: 'DEFAULT' } as const
    await messaging.createChannelMembership({ ...member, ChimeBearer: people.owner })
    await messaging.updateChannel({ ChannelArn, ChimeBearer, Name: 'By an admin' })
    const { $metadata } = await demote(ChimeBearer)
    assert.equal($metadata.httpStatusCode, 204)
    await assertRefused(
      messaging.updateChannel({ ChannelArn, ChimeBearer, Name: 'By a member' }),
      'Forbidden',
      noAccess,
    )
    await people.send({ ChimeBearer })
    await identity.describeAppInstanceUser({ AppInstanceUserArn: ChimeBearer })
  })

  test('may be the last one, and the user may become an admin again', async () => {
    const alone = await populate(server)
    const { appInstanceArn: AppInstanceArn, admin: AppInstanceAdminArn } = alone
    await demote(AppInstanceAdminArn, AppInstanceArn)
    assert.deepEqual((await identity.listAppInstanceAdmins({ AppInstanceArn })).AppInstanceAdmins, [])
    await identity.createAppInstanceAdmin({ AppInstanceArn, AppInstanceAdminArn })
    assert.equal((await identity.listAppInstanceAdmins({ AppInstanceArn })).AppInstanceAdmins?.length, 1)
  })

  test('accepts one of two calls at once', async () => {
    const { appInstanceArn, admin } = await populate(server)
    const outcomes = await Promise.all([1, 2].map(() => outcomeOf(demote(admin, appInstanceArn))))
    assert.deepEqual(outcomes.sort(), ['Forbidden', 'accepted'])
  })

  test('rejects a user that is no admin, an unknown one, and an ARN of something else', async () => {
    for (const arn of [people.member, people.user('nobody'), people.channelArn, people.appInstanceArn]) {
      await assertRefused(demote(arn), 'Forbidden', noAccess)
    }
  })

  test('rejects an unknown AppInstance and another one', async () => {
    const others = await populate(server)
    await assertRefused(demote(others.admin, `${others.appInstanceArn}0`), 'Forbidden', noAccess)
    await assertRefused(demote(others.admin), 'Forbidden', noAccess)
  })

  test('rejects what is no ARN', async () => {
    await assertRefused(demote('admin'), 'BadRequest', /'appInstanceAdminArn'/)
    await assertRefused(demote(people.member, 'bells'), 'BadRequest', /'appInstanceArn'/)
  })
})
