import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused, invalidBearer, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const { identity } = server

suite('DeleteAppInstance', () => {
  test('responds with an empty 204, and no user can act in it any more', async () => {
    const people = await populate(server)
    const ChannelFlowArn = await people.attachFlow(['first'])
    const AppInstanceArn = people.appInstanceArn
    const { $metadata, ...answer } = await identity.deleteAppInstance({ AppInstanceArn })
    assert.deepEqual([$metadata.httpStatusCode, answer], [204, {}])
    await assertRefused(people.send(), 'Unauthorized', invalidBearer)
    await assertRefused(identity.describeAppInstance({ AppInstanceArn }), 'Forbidden', noAccess)
    await assertRefused(server.messaging.describeChannelFlow({ ChannelFlowArn }), 'Forbidden', noAccess)
    await assertRefused(identity.deleteAppInstance({ AppInstanceArn }), 'Forbidden', noAccess)
    await assertRefused(identity.listAppInstanceUsers({ AppInstanceArn }), 'Forbidden', noAccess)
  })

  test('notifies its members of the deleted channels, and then closes their sessions', async () => {
    const people = await populate(server)
    const session = await server.session(people.member)
    await identity.deleteAppInstance({ AppInstanceArn: people.appInstanceArn })
    assert.equal((await session.next()).eventType, 'DELETE_CHANNEL')
    assert.deepEqual(await session.closed, { code: 4003, reason: 'The AppInstanceUser was deleted' })
  })

  test('leaves another AppInstance as it is', async () => {
    const [people, others] = [await populate(server), await populate(server)]
    await identity.deleteAppInstance({ AppInstanceArn: others.appInstanceArn })
    await people.send()
    assert.deepEqual(await people.history(), ['hello'])
  })
})
