import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const { identity } = await startTestServer()
const create = async (AppInstanceArn: string | undefined, AppInstanceUserId: string, Metadata?: string) => {
  const { AppInstanceUserArn } = await identity.createAppInstanceUser({
    AppInstanceArn,
    AppInstanceUserId,
    Name: `User ${AppInstanceUserId}`,
    Metadata,
  })
  return AppInstanceUserArn
}
const { AppInstanceArn } = await identity.createAppInstance({ Name: 'People' })

suite('ListAppInstanceUsers', () => {
  test('returns the users of the AppInstance in the order of their creation, without their times', async () => {
    const { AppInstanceArn: other } = await identity.createAppInstance({ Name: 'Other' })
    assert.deepEqual((await identity.listAppInstanceUsers({ AppInstanceArn })).AppInstanceUsers, [])
    const zoe = await create(AppInstanceArn, 'zoe', 'm\n🔔')
    await create(other, 'cleo')
    const ann = await create(AppInstanceArn, 'ann')
    const { $metadata, ...answer } = await identity.listAppInstanceUsers({ AppInstanceArn })
    assert.deepEqual(answer, {
      AppInstanceArn,
      AppInstanceUsers: [
        { AppInstanceUserArn: zoe, Name: 'User zoe', Metadata: 'm\n🔔' },
        { AppInstanceUserArn: ann, Name: 'User ann' },
      ],
    })
  })

  test('rejects an unknown AppInstance, an ARN of something else, and what is no ARN', async () => {
    const list = (arn: string) => identity.listAppInstanceUsers({ AppInstanceArn: arn })
    await assertRefused(list(`${AppInstanceArn}0`), 'Forbidden', noAccess)
    await assertRefused(list(`${AppInstanceArn}/user/ann`), 'Forbidden', noAccess)
    await assertRefused(list('bells'), 'BadRequest', /'appInstanceArn'/)
  })
})
