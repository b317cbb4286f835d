import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const { identity } = server
const people = await populate(server)
const ExpirationSettings = { ExpirationDays: 3, ExpirationCriterion: 'CREATED_TIMESTAMP' } as const

const describe = async (AppInstanceUserArn: string) =>
  (await identity.describeAppInstanceUser({ AppInstanceUserArn })).AppInstanceUser?.ExpirationSettings

suite('PutAppInstanceUserExpirationSettings', () => {
  test('returns the settings, which DescribeAppInstanceUser returns until they are removed', async () => {
    const AppInstanceUserArn = people.member
    const { $metadata: _, ...put } = await identity.putAppInstanceUserExpirationSettings({
      AppInstanceUserArn,
      ExpirationSettings,
    })
    assert.deepEqual(put, { AppInstanceUserArn, ExpirationSettings })
    assert.deepEqual(await describe(AppInstanceUserArn), ExpirationSettings)
    await identity.putAppInstanceUserExpirationSettings({ AppInstanceUserArn })
    assert.equal(await describe(AppInstanceUserArn), undefined)
  })

  test('shows those that a user was created with', async () => {
    const AppInstanceArn = people.appInstanceArn
    const created = { AppInstanceArn, AppInstanceUserId: 'guest', Name: 'Guest', ExpirationSettings }
    const { AppInstanceUserArn } = await identity.createAppInstanceUser(created)
    assert.deepEqual(await describe(AppInstanceUserArn!), ExpirationSettings)
  })

  test('rejects an unknown user, and a criterion that users do not have', async () => {
    const AppInstanceUserArn = people.user('nobody')
    const put = identity.putAppInstanceUserExpirationSettings({ AppInstanceUserArn, ExpirationSettings })
    await assertRefused(put, 'Forbidden', noAccess)
    const settings = { ...ExpirationSettings, ExpirationCriterion: 'LAST_MESSAGE_TIMESTAMP' as 'CREATED_TIMESTAMP' }
    const other = { AppInstanceUserArn: people.member, ExpirationSettings: settings }
    await assertRefused(identity.putAppInstanceUserExpirationSettings(other), 'BadRequest', /enum value set/)
  })
})
