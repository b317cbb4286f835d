import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused, invalidUser, noAccess, outcomeOf } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server, { Privacy: 'PUBLIC', Mode: 'UNRESTRICTED' })
const others = await populate(server)
const { channelArn: ChannelArn, owner } = people
const ban = (MemberArn: string) => server.messaging.createChannelBan({ ChannelArn, MemberArn, ChimeBearer: owner })
const unban = (MemberArn: string, ChimeBearer = owner) =>
  server.messaging.deleteChannelBan({ ChannelArn, MemberArn, ChimeBearer })

suite('DeleteChannelBan', () => {
  test('lets the user in again, and does not make it a member', async () => {
    const { member: MemberArn } = people
    await ban(MemberArn)
    const join = () =>
      server.messaging.createChannelMembership({ ChannelArn, MemberArn, Type: 'DEFAULT', ChimeBearer: MemberArn })
    const see = () => server.messaging.describeChannel({ ChannelArn, ChimeBearer: MemberArn })
    await assertRefused(join(), 'Forbidden', noAccess)
    await assertRefused(see(), 'Forbidden', noAccess)
    const { $metadata } = await unban(MemberArn)
    assert.equal($metadata.httpStatusCode, 204)
    await see()
    await assertRefused(people.send(), 'Forbidden', noAccess)
    await join()
    await people.send()
  })

  test('rejects who is not banned', async () => {
    const none = [people.hidden, people.admin, people.user('nobody'), others.member, ChannelArn]
    for (const arn of none) await assertRefused(unban(arn), 'Forbidden', invalidUser)
    await assertRefused(unban('ann'), 'BadRequest', /'memberArn'/)
  })

  test('takes one of five calls at once', async () => {
    await ban(people.stranger)
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => outcomeOf(unban(people.stranger))))
    assert.deepEqual(outcomes.sort(), [...Array(4).fill('Forbidden'), 'accepted'])
  })
})
