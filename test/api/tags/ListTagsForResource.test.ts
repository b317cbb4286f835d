import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'
import { createTagged, tagsOf, withoutResource } from './tagged.ts'

const server = await startTestServer()
const people = await populate(server)
const { messaging } = server
const list = async (ResourceARN: string) => (await messaging.listTagsForResource({ ResourceARN })).Tags

suite('ListTagsForResource lists the tags that were given at creation', async () => {
  const created = { Key: 'k', Value: 'v' }
  const tagged = await createTagged(server, created)
  for (const [kind, arn] of Object.entries(tagged)) {
    test(`of a ${kind}, to the clients of both services`, async () => {
      assert.deepEqual([await list(arn), await tagsOf(server, arn)], [[created], [created]])
    })
  }
})

suite('ListTagsForResource', () => {
  test("lists a resource's own tags by key, and none of what belongs to it", async () => {
    const Tags = ['b', 'c', 'a'].map((Key) => ({ Key, Value: 'v' }))
    await messaging.tagResource({ ResourceARN: people.appInstanceArn, Tags })
    const keys = (await list(people.appInstanceArn))?.map(({ Key }) => Key)
    assert.deepEqual(keys, ['a', 'b', 'c'])
    assert.deepEqual(await list(people.channelArn), [])
  })

  test('knows nothing of a channel that is deleted, nor of its tags when it is created again', async () => {
    const channel = { ChannelId: 'again', Tags: [{ Key: 'k', Value: 'v' }] }
    const ChannelArn = await people.createChannel(channel)
    await messaging.deleteChannel({ ChannelArn, ChimeBearer: people.owner })
    await assertRefused(list(ChannelArn), 'Forbidden', noAccess)
    await people.createChannel({ ChannelId: 'again' })
    assert.deepEqual(await list(ChannelArn), [])
  })

  test('knows nothing of a user that is deleted, nor of its tags when it is created again', async () => {
    const user = { AppInstanceArn: people.appInstanceArn, AppInstanceUserId: 'again', Name: 'again' }
    const Tags = [{ Key: 'k', Value: 'v' }]
    const { AppInstanceUserArn } = await server.identity.createAppInstanceUser({ ...user, Tags })
    await server.identity.deleteAppInstanceUser({ AppInstanceUserArn })
    await assertRefused(list(AppInstanceUserArn!), 'Forbidden', noAccess)
    await server.identity.createAppInstanceUser(user)
    assert.deepEqual(await list(AppInstanceUserArn!), [])
  })

  test('knows nothing of an AppInstance that is deleted, nor of its channel flows', async () => {
    const others = await populate(server)
    const flow = await others.createFlow(['first'], { Tags: [{ Key: 'k', Value: 'v' }] })
    await server.identity.deleteAppInstance({ AppInstanceArn: others.appInstanceArn })
    for (const arn of [others.appInstanceArn, flow]) await assertRefused(list(arn), 'Forbidden', noAccess)
  })

  test('knows nothing of a channel flow that is deleted', async () => {
    const ChannelFlowArn = await people.createFlow(['first'], { Tags: [{ Key: 'k', Value: 'v' }] })
    await messaging.deleteChannelFlow({ ChannelFlowArn })
    await assertRefused(list(ChannelFlowArn), 'Forbidden', noAccess)
  })

  test('rejects an ARN without a resource, and what is no ARN', async () => {
    for (const arn of withoutResource(people.appInstanceArn)) await assertRefused(list(arn), 'Forbidden', noAccess)
    await assertRefused(list('bells'), 'BadRequest', /'resourceARN'/)
  })
})
