import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused, invalidBearer, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const { identity, messaging } = server

suite('DeleteAppInstanceUser', () => {
  test('answers an empty 204, and the user is no bearer any more', async () => {
    const people = await populate(server)
    const AppInstanceUserArn = people.member
    const { $metadata, ...answer } = await identity.deleteAppInstanceUser({ AppInstanceUserArn })
    assert.deepEqual([$metadata.httpStatusCode, answer], [204, {}])
    await assertRefused(people.send(), 'Unauthorized', invalidBearer)
    await assertRefused(identity.describeAppInstanceUser({ AppInstanceUserArn }), 'Forbidden', noAccess)
    await assertRefused(identity.deleteAppInstanceUser({ AppInstanceUserArn }), 'Forbidden', noAccess)
  })

  test('keeps its messages, with the name that it had', async () => {
    const people = await populate(server)
    const { MessageId } = await people.send()
    await identity.deleteAppInstanceUser({ AppInstanceUserArn: people.member })
    const { Sender } = await people.read(MessageId, people.owner)
    assert.deepEqual(Sender, { Arn: people.member, Name: 'member' })
  })

  test('takes the admin role with it: a user that is created again under the id is none', async () => {
    const people = await populate(server)
    await identity.deleteAppInstanceUser({ AppInstanceUserArn: people.admin })
    await people.createUser('admin')
    const deletion = messaging.deleteChannel({ ChannelArn: people.channelArn, ChimeBearer: people.admin })
    await assertRefused(deletion, 'Forbidden', noAccess)
  })
})
