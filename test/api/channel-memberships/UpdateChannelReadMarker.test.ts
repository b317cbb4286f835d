import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer, testOfSqlite } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)

const mark = (ChimeBearer: string, ChannelArn = people.channelArn) =>
  server.messaging.updateChannelReadMarker({ ChannelArn, ChimeBearer })

suite('UpdateChannelReadMarker', () => {
  test('returns the channel', async () => {
    const { $metadata, ...answer } = await mark(people.member)
    assert.equal($metadata.httpStatusCode, 200)
    assert.deepEqual(answer, { ChannelArn: people.channelArn })
  })

  test('sets the marker of the bearer only', async () => {
    const population = await populate(server)
    const { channelArn, member, hidden, owner } = population
    const { MessageId } = await population.send()
    const { CreatedTimestamp } = await population.read(MessageId)
    for (const ChimeBearer of [member, hidden]) await mark(ChimeBearer, channelArn)
    for (const ChimeBearer of [member, hidden]) {
      assert.ok((await markerOf(server, ChimeBearer))! >= CreatedTimestamp!)
    }
    assert.equal(await markerOf(server, owner), undefined)
  })

  test('is invisible to other users: the membership does not change, and there is no event', async () => {
    const population = await populate(server)
    const { channelArn: ChannelArn, member: MemberArn, owner: ChimeBearer } = population
    const describe = () => server.messaging.describeChannelMembership({ ChannelArn, MemberArn, ChimeBearer })
    const before = (await describe()).ChannelMembership
    const sessions = [await server.session(ChimeBearer), await server.session(MemberArn)]
    await mark(MemberArn, ChannelArn)
    assert.deepEqual((await describe()).ChannelMembership, before)
    await population.send()
    for (const session of sessions) assert.deepEqual(await session.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
  })

  test('is for members only: the roles of admins and moderators have no marker', async () => {
    for (const bearer of [people.admin, people.moderator, people.stranger]) {
      await assertRefused(mark(bearer), 'Forbidden', noAccess)
    }
    await assertRefused(mark(people.member, `${people.channelArn}-unknown`), 'Forbidden', noAccess)
  })
})

// On PostgreSQL the time is the database's, which the test cannot set.
testOfSqlite('a read marker is never before the last message, however far the clock was set back', async () => {
  const clock = new ManualClock(Date.now())
  const past = await startTestServer({ clock })
  const population = await populate(past)
  const { MessageId } = await population.send()
  const { CreatedTimestamp } = await population.read(MessageId)
  const markAt = async (byMs: number) => {
    clock.advance(byMs)
    const { channelArn: ChannelArn, member: ChimeBearer } = population
    await past.messaging.updateChannelReadMarker({ ChannelArn, ChimeBearer })
    return (await markerOf(past, ChimeBearer))?.getTime()
  }
  const sentAt = CreatedTimestamp!.getTime()
  assert.equal(await markAt(1_000), sentAt + 1_000)
  assert.equal(await markAt(-61_000), sentAt)
})

/** The marker in the user's only channel, as the user sees it. */
async function markerOf({ messaging }: typeof server, ChimeBearer: string): Promise<Date | undefined> {
  const { ChannelMemberships } = await messaging.listChannelMembershipsForAppInstanceUser({ ChimeBearer })
  assert.equal(ChannelMemberships?.length, 1)
  return ChannelMemberships[0]?.AppInstanceUserMembershipSummary?.ReadMarkerTimestamp
}
