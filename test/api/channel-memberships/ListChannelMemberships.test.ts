import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { ListChannelMembershipsCommandInput } from '@aws-sdk/client-chime-sdk-messaging'
import type { Store } from '../../../src/store/store.ts'
import { populate } from '../../support/population.ts'
import { assertRefused } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

let store!: Store
const server = await startTestServer({ aroundStore: (opened) => (store = opened) })
const people = await populate(server)
const list = (input: Partial<ListChannelMembershipsCommandInput> = {}) =>
  server.messaging.listChannelMemberships({ ChannelArn: people.channelArn, ChimeBearer: people.owner, ...input })

suite('ListChannelMemberships', () => {
  test('returns the DEFAULT members in the order of their creation, with no further members of them', async () => {
    const { ChannelArn, ChannelMemberships, NextToken } = await list()
    assert.equal(ChannelArn, people.channelArn)
    assert.deepEqual(ChannelMemberships, [
      { Member: { Arn: people.owner, Name: 'owner' } },
      { Member: { Arn: people.member, Name: 'member' } },
    ])
    assert.equal(NextToken, undefined)
    assert.deepEqual((await list({ Type: 'DEFAULT' })).ChannelMemberships, ChannelMemberships)
  })

  test('returns the HIDDEN ones on a moderator’s request', async () => {
    const { ChannelMemberships } = await list({ Type: 'HIDDEN', ChimeBearer: people.moderator })
    assert.deepEqual(ChannelMemberships, [{ Member: { Arn: people.hidden, Name: 'hidden' } }])
  })

  test('rejects sub-channels and other Types as bad requests', async () => {
    await assertRefused(list({ SubChannelId: 's' }), 'BadRequest', /SubChannelId/)
    await assertRefused(list({ Type: 'ALL' as 'HIDDEN' }), 'BadRequest', /'type'/)
  })

  test('leaves out a user that is deleted, before its rows are removed', async () => {
    const population = await populate(server)
    await store.write('UPDATE app_instance_user SET deleted_at = 1 WHERE app_instance_user_arn = $1', population.member)
    const { ChannelMemberships } = await list({ ChannelArn: population.channelArn, ChimeBearer: population.owner })
    assert.deepEqual(
      ChannelMemberships?.map(({ Member }) => Member?.Arn),
      [population.owner],
    )
  })
})
