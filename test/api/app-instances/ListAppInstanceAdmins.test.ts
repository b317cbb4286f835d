import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)
const list = (AppInstanceArn: string) => server.identity.listAppInstanceAdmins({ AppInstanceArn })

suite('ListAppInstanceAdmins', () => {
  test("lists the AppInstance's own admins by ARN, with their names of now", async () => {
    await populate(server)
    const AppInstanceArn = people.appInstanceArn
    const boss = await people.createUser('boss')
    await server.identity.createAppInstanceAdmin({ AppInstanceArn, AppInstanceAdminArn: boss })
    await server.identity.updateAppInstanceUser({ AppInstanceUserArn: boss, Name: 'Chief', Metadata: '' })
    const { $metadata, NextToken, ...answer } = await list(AppInstanceArn)
    const admins = [{ Admin: { Arn: people.admin, Name: 'admin' } }, { Admin: { Arn: boss, Name: 'Chief' } }]
    assert.deepEqual(answer, { AppInstanceArn, AppInstanceAdmins: admins })
    assert.equal(NextToken, undefined)
  })

  test('does not list a user that is deleted, nor the one that is created again under its ARN', async () => {
    const others = await populate(server)
    const AppInstanceAdminArn = await others.createUser('boss')
    const admin = { AppInstanceArn: others.appInstanceArn, AppInstanceAdminArn }
    await server.identity.createAppInstanceAdmin(admin)
    await server.identity.deleteAppInstanceUser({ AppInstanceUserArn: AppInstanceAdminArn })
    const alone = [{ Admin: { Arn: others.admin, Name: 'admin' } }]
    assert.deepEqual((await list(others.appInstanceArn)).AppInstanceAdmins, alone)
    await others.createUser('boss')
    assert.deepEqual((await list(others.appInstanceArn)).AppInstanceAdmins, alone)
    await assertRefused(server.identity.describeAppInstanceAdmin(admin), 'Forbidden', noAccess)
    await server.identity.createAppInstanceAdmin(admin)
    assert.equal((await list(others.appInstanceArn)).AppInstanceAdmins?.length, 2)
  })

  test('returns an empty list if there is none', async () => {
    const { AppInstanceArn } = await server.identity.createAppInstance({ Name: 'Bells' })
    assert.deepEqual((await list(AppInstanceArn!)).AppInstanceAdmins, [])
  })

  test('rejects an unknown AppInstance, an ARN of something else, and what is no ARN', async () => {
    await assertRefused(list(`${people.appInstanceArn}0`), 'Forbidden', noAccess)
    await assertRefused(list(people.channelArn), 'Forbidden', noAccess)
    await assertRefused(list('bells'), 'BadRequest', /'appInstanceArn'/)
  })
})
