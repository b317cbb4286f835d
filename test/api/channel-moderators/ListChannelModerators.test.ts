import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Store } from '../../../src/store/store.ts'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

let store!: Store
const server = await startTestServer({ aroundStore: (opened) => (store = opened) })
const people = await populate(server, { Privacy: 'PUBLIC' })
const list = (ChimeBearer = people.owner, ChannelArn = people.channelArn) =>
  server.messaging.listChannelModerators({ ChannelArn, ChimeBearer })

suite('ListChannelModerators', () => {
  test('returns the moderators in the order of their creation, with no further members of them', async () => {
    const { $metadata, ...answer } = await list()
    assert.deepEqual(answer, {
      ChannelArn: people.channelArn,
      ChannelModerators: [
        { Moderator: { Arn: people.owner, Name: 'owner' } },
        { Moderator: { Arn: people.moderator, Name: 'moderator' } },
      ],
    })
  })

  test('is for moderators and admins, even where the channel is PUBLIC', async () => {
    for (const bearer of [people.moderator, people.admin]) {
      assert.equal((await list(bearer)).ChannelModerators?.length, 2)
    }
    for (const bearer of [people.member, people.hidden, people.stranger]) {
      await assertRefused(list(bearer), 'Forbidden', noAccess)
    }
  })

  test('returns the moderators of this channel alone', async () => {
    const ChannelArn = await people.createChannel({ ModeratorArns: [people.member] })
    const { ChannelModerators } = await list(people.admin, ChannelArn)
    assert.deepEqual(
      ChannelModerators?.map(({ Moderator }) => Moderator?.Arn),
      [people.owner, people.member],
    )
  })

  test('leaves out a user that is deleted, before its rows are removed', async () => {
    const population = await populate(server)
    await store.write(
      'UPDATE app_instance_user SET deleted_at = 1 WHERE app_instance_user_arn = $1',
      population.moderator,
    )
    const { ChannelModerators } = await list(population.owner, population.channelArn)
    assert.deepEqual(
      ChannelModerators?.map(({ Moderator }) => Moderator?.Arn),
      [population.owner],
    )
  })
})
