import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { SearchField } from '@aws-sdk/client-chime-sdk-messaging'
import type { Store } from '../../../src/store/store.ts'
import { populate } from '../../support/population.ts'
import { assertRefused, invalidBearer, invalidUser, violation } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

let store!: Store
const server = await startTestServer({ aroundStore: (opened) => (store = opened) })
const people = await populate(server, { Metadata: 'm' })
const others = await populate(server)
const { owner, admin, member, moderator, hidden, stranger, channelArn: lobby } = people

const [ann, ben, cleo] = [
  await people.createUser('ann'),
  await people.createUser('ben'),
  await people.createUser('cleo'),
]

/** A channel with these DEFAULT members, the first of whom has made it. */
const channelOf = async (ChimeBearer: string, ...MemberArns: string[]) => {
  const call = { AppInstanceArn: people.appInstanceArn, ChimeBearer, Name: 'C', ...(MemberArns[0] && { MemberArns }) }
  return (await server.messaging.createChannel(call)).ChannelArn!
}
const pair = await channelOf(ann, ben)
const trio = await channelOf(ann, ben, cleo)
const alone = await channelOf(ben)
const withCleo = await channelOf(cleo, ann)

const includes = (...Values: string[]): SearchField => ({ Key: 'MEMBERS', Operator: 'INCLUDES', Values })
const equals = (...Values: string[]): SearchField => ({ Key: 'MEMBERS', Operator: 'EQUALS', Values })
const search = async (ChimeBearer: string | undefined, ...Fields: SearchField[]) => {
  const { Channels } = await server.messaging.searchChannels({ ChimeBearer, Fields })
  return Channels?.map(({ ChannelArn }) => ChannelArn)
}

suite('SearchChannels', () => {
  test('returns the summaries of channels', async () => {
    const { MessageId } = await people.send()
    const { CreatedTimestamp: LastMessageTimestamp } = await people.read(MessageId)
    const { Channels } = await server.messaging.searchChannels({ ChimeBearer: owner, Fields: [includes(member)] })
    const plain = { Name: 'Lobby', Mode: 'RESTRICTED', Privacy: 'PRIVATE', Metadata: 'm' }
    assert.deepEqual(Channels, [{ ChannelArn: lobby, ...plain, LastMessageTimestamp }])
  })

  test('finds with INCLUDES the channels that have all of these members, in the order of creation', async () => {
    assert.deepEqual(await search(admin, includes(ann)), [pair, trio, withCleo])
    assert.deepEqual(await search(admin, includes(ben)), [pair, trio, alone])
    assert.deepEqual(await search(admin, includes(ann, ben)), [pair, trio])
    assert.deepEqual(await search(admin, includes(cleo, ann, ben, ann)), [trio])
    assert.deepEqual(await search(admin, includes(ann, stranger)), [])
  })

  test('finds with EQUALS the channels that have no other members, the bearer least of all', async () => {
    assert.deepEqual(await search(admin, equals(ben, ann)), [pair])
    assert.deepEqual(await search(admin, equals(ben)), [alone])
    assert.deepEqual(await search(ann, equals(ben)), [], 'the bearer is no member of that one')
    assert.deepEqual(await search(ann, equals(ben, ann, ben)), [pair])
    assert.deepEqual(await search(admin, equals(ann)), [])
  })

  test('joins several fields by AND', async () => {
    assert.deepEqual(await search(admin, includes(ann), includes(cleo)), [trio, withCleo])
    assert.deepEqual(await search(admin, equals(ann, ben, cleo), includes(cleo)), [trio])
    assert.deepEqual(await search(admin, equals(ann, ben), includes(cleo)), [])
    assert.deepEqual(await search(admin, equals(ann, ben), equals(ben, ann)), [pair])
    assert.deepEqual(await search(admin, equals(ann, ben), equals(ann)), [])
  })

  test('searches the channels that the bearer is in, as a HIDDEN member too; moderating one is not enough', async () => {
    assert.deepEqual(await search(ann, includes(ben)), [pair, trio])
    assert.deepEqual(await search(cleo, includes(ben)), [trio])
    assert.deepEqual(await search(stranger, includes(ben)), [])
    for (const bearer of [owner, member, hidden, admin])
      assert.deepEqual(await search(bearer, includes(member)), [lobby])
    assert.deepEqual(await search(moderator, includes(member)), [])
  })

  test('looks for DEFAULT members alone', async () => {
    assert.deepEqual(await search(hidden, includes(hidden)), [])
    assert.deepEqual(await search(owner, includes(owner, hidden)), [])
    assert.deepEqual(await search(hidden, equals(owner, member)), [lobby])
  })

  test('searches the AppInstance of the values when there is no bearer', async () => {
    assert.deepEqual(await search(undefined, includes(ann, ben)), [pair, trio])
    assert.deepEqual(await search(undefined, includes(others.member)), [others.channelArn])
    await assertRefused(search(undefined, includes(ann, others.member)), 'Forbidden', invalidUser)
    await assertRefused(search('', includes(ann)), 'Unauthorized', invalidBearer)
  })

  test('follows those who leave, and channels that are deleted', async () => {
    const [dora, ed] = [await people.createUser('dora'), await people.createUser('ed')]
    const [left, deleted] = [await channelOf(dora, ed, ann), await channelOf(dora, ed)]
    assert.deepEqual(await search(dora, includes(ed)), [left, deleted])
    await server.messaging.deleteChannel({ ChannelArn: deleted, ChimeBearer: dora })
    assert.deepEqual(await search(dora, includes(ed)), [left])
    assert.deepEqual(await search(dora, equals(dora, ed)), [])
    await server.messaging.deleteChannelMembership({ ChannelArn: left, MemberArn: ann, ChimeBearer: dora })
    assert.deepEqual(await search(dora, equals(dora, ed)), [left])
    await server.messaging.deleteChannelMembership({ ChannelArn: left, MemberArn: ed, ChimeBearer: dora })
    assert.deepEqual(await search(dora, includes(ed)), [])
  })

  test('takes as many fields and values as AWS does', async () => {
    const many = Array.from({ length: 20 }, (_, index) => people.user(`many-${index}`))
    for (const index of many.keys()) await people.createUser(`many-${index}`)
    const ChannelArn = await channelOf(many[0]!, ...many.slice(1, 11))
    for (const MemberArn of many.slice(11)) {
      await server.messaging.createChannelMembership({ ChannelArn, MemberArn, Type: 'DEFAULT', ChimeBearer: many[0]! })
    }
    const fields = Array.from({ length: 20 }, (_, index) => includes(...many.slice(index)))
    assert.deepEqual(await search(many[7]!, equals(...many)), [ChannelArn])
    assert.deepEqual(await search(many[7]!, ...fields), [ChannelArn])
    assert.deepEqual(await search(many[7]!, equals(...many.slice(1))), [])
  })

  test('rejects values that are no users of the AppInstance', async () => {
    for (const value of [people.user('nobody'), others.member, lobby, people.appInstanceArn, 'ann', '🔔']) {
      await assertRefused(search(admin, includes(ann, value)), 'Forbidden', invalidUser)
    }
  })

  test('rejects what is no search as a bad request', async () => {
    await assertRefused(search(admin), 'BadRequest', /'fields'/)
    await assertRefused(search(admin, includes()), 'BadRequest', /'fields\.1\.member\.values'/)
    const key = search(admin, { ...includes(ann), Key: 'NAMES' as 'MEMBERS' })
    await assertRefused(key, 'BadRequest', violation('fields.1.member.key', 'satisfy enum value set: [MEMBERS]'))
  })

  test('rejects users with more than 1,000 memberships, if there is none with fewer', async () => {
    const [busy, popular] = [await people.createUser('busy'), await people.createUser('popular')]
    const ChannelArn = await channelOf(busy, popular)
    const counts = 'UPDATE app_instance_user SET memberships = $1 WHERE app_instance_user_arn IN ($2, $3)'
    await store.write(counts, 1_001, busy, popular)
    const text = /a large number of memberships/
    await assertRefused(search(admin, includes(busy, popular)), 'BadRequest', text)
    await assertRefused(search(popular, includes(busy)), 'BadRequest', text)
    assert.deepEqual(await search(ann, includes(busy)), [])
    await store.write(counts, 1_000, busy, busy)
    assert.deepEqual(await search(admin, includes(popular, busy)), [ChannelArn])
  })
})
