import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Store } from '../../../src/store/store.ts'
import { populate } from '../../support/population.ts'
import { assertRefused, invalidUser, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

let store!: Store
const server = await startTestServer({ aroundStore: (opened) => (store = opened) })
const people = await populate(server, { Metadata: 'm' })
const others = await populate(server)
const describe = (AppInstanceUserArn: string, ChimeBearer = AppInstanceUserArn, ChannelArn = people.channelArn) =>
  server.messaging.describeChannelMembershipForAppInstanceUser({ ChannelArn, AppInstanceUserArn, ChimeBearer })

suite('DescribeChannelMembershipForAppInstanceUser', () => {
  test('returns the channel and the membership, to the member itself and to admins', async () => {
    const { MessageId } = await people.send()
    const { CreatedTimestamp: LastMessageTimestamp } = await people.read(MessageId)
    const ChannelSummary = {
      ChannelArn: people.channelArn,
      Name: 'Lobby',
      Mode: 'RESTRICTED',
      Privacy: 'PRIVATE',
      Metadata: 'm',
      LastMessageTimestamp,
    }
    for (const [user, Type] of [
      [people.member, 'DEFAULT'],
      [people.hidden, 'HIDDEN'],
    ] as const) {
      const membership = { ChannelSummary, AppInstanceUserMembershipSummary: { Type } }
      assert.deepEqual((await describe(user)).ChannelMembership, membership)
      assert.deepEqual((await describe(user, people.admin)).ChannelMembership, membership)
    }
  })

  test('returns the read marker only to the member', async () => {
    await store.write('UPDATE channel_membership SET read_marker_at = 1500')
    const marker = async (bearer: string) =>
      (await describe(people.member, bearer)).ChannelMembership?.AppInstanceUserMembershipSummary?.ReadMarkerTimestamp
    assert.deepEqual(await marker(people.member), new Date(1_500))
    assert.equal(await marker(people.admin), undefined)
  })

  test('is forbidden where the user is no member', async () => {
    for (const user of [people.moderator, people.admin, people.stranger]) {
      await assertRefused(describe(user), 'Forbidden', noAccess)
      await assertRefused(describe(user, people.admin), 'Forbidden', noAccess)
    }
  })

  test('is forbidden about others, but for admins', async () => {
    for (const bearer of [people.owner, people.moderator, people.hidden]) {
      await assertRefused(describe(people.member, bearer), 'Forbidden', noAccess)
    }
    for (const user of [people.user('nobody'), others.member]) {
      await assertRefused(describe(user, people.admin), 'Forbidden', invalidUser)
    }
  })

  test('rejects what is no ARN as a bad request', () =>
    assertRefused(describe('ann', people.member), 'BadRequest', /'appInstanceUserArn'/))
})
