import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused, invalidBearer, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const { identity, messaging } = server

suite('DeleteAppInstanceUser', () => {
  test('responds with an empty 204, and the user cannot be a bearer any more', async () => {
    const people = await populate(server)
    const AppInstanceUserArn = people.member
    const { $metadata, ...answer } = await identity.deleteAppInstanceUser({ AppInstanceUserArn })
    assert.deepEqual([$metadata.httpStatusCode, answer], [204, {}])
    await assertRefused(people.send(), 'Unauthorized', invalidBearer)
    await assertRefused(identity.describeAppInstanceUser({ AppInstanceUserArn }), 'Forbidden', noAccess)
    await assertRefused(identity.deleteAppInstanceUser({ AppInstanceUserArn }), 'Forbidden', noAccess)
  })

  test('notifies its channels of the leave, and then closes its sessions', async () => {
    const people = await populate(server)
    const [member, owner] = [await server.session(people.member), await server.session(people.owner)]
    await identity.deleteAppInstanceUser({ AppInstanceUserArn: people.member })
    for (const session of [member, owner]) {
      const { eventType, payload } = await session.next()
      assert.equal(eventType, 'DELETE_CHANNEL_MEMBERSHIP')
      assert.deepEqual((payload as { Member: object }).Member, { Arn: people.member, Name: 'member' })
    }
    assert.deepEqual(await member.closed, { code: 4003, reason: 'The AppInstanceUser was deleted' })
    await people.send({ ChimeBearer: people.owner })
    assert.equal((await owner.next()).eventType, 'CREATE_CHANNEL_MESSAGE')
  })

  test('ends the sessions of the former user when another one of its id connects', async () => {
    const people = await populate(server)
    const former = await server.session(people.stranger)
    await identity.deleteAppInstanceUser({ AppInstanceUserArn: people.stranger })
    await people.createUser('stranger')
    const session = await server.session(people.stranger)
    assert.equal((await former.closed).code, 4003)
    const added = { ChannelArn: people.channelArn, MemberArn: people.stranger, Type: 'DEFAULT' } as const
    await messaging.createChannelMembership({ ...added, ChimeBearer: people.owner })
    assert.equal((await session.next()).eventType, 'CREATE_CHANNEL_MEMBERSHIP')
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
