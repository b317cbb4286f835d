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

  test('answers an empty list where there is none', async () => {
    const { AppInstanceArn } = await server.identity.createAppInstance({ Name: 'Bells' })
    assert.deepEqual((await list(AppInstanceArn!)).AppInstanceAdmins, [])
  })

  test('refuses an unknown AppInstance, an ARN of something else, and what is no ARN', async () => {
    await assertRefused(list(`${people.appInstanceArn}0`), 'Forbidden', noAccess)
    await assertRefused(list(people.channelArn), 'Forbidden', noAccess)
    await assertRefused(list('bells'), 'BadRequest', /'appInstanceArn'/)
  })
})
