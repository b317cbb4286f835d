import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { ListChannelsCommandInput } from '@aws-sdk/client-chime-sdk-messaging'
import type { Store } from '../../../src/store/store.ts'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess, violation } from '../../support/refusals.ts'
import { ban } from '../../support/rows.ts'
import { startTestServer } from '../../support/running-server.ts'

let store!: Store
const server = await startTestServer({ aroundStore: (opened) => (store = opened) })
const people = await populate(server, { Privacy: 'PUBLIC', Mode: 'UNRESTRICTED', Metadata: 'm\n🔔' })
const others = await populate(server, { Privacy: 'PUBLIC' })
const lobby = people.channelArn
const secret = await people.createChannel({ Privacy: 'PRIVATE', Name: 'Secret' })
const garden = await people.createChannel({ Privacy: 'PUBLIC', Name: 'Garden' })

const list = async (input: Partial<ListChannelsCommandInput> = {}) => {
  const call = { AppInstanceArn: people.appInstanceArn, ChimeBearer: people.stranger, ...input }
  return (await server.messaging.listChannels(call)).Channels
}
const arnsOf = async (input: Partial<ListChannelsCommandInput> = {}) =>
  (await list(input))?.map(({ ChannelArn }) => ChannelArn)

suite('ListChannels', () => {
  test('returns the summaries of channels in the order of their creation', async () => {
    const plain = { Mode: 'RESTRICTED', Privacy: 'PUBLIC' }
    assert.deepEqual(await list(), [
      { ...plain, ChannelArn: lobby, Name: 'Lobby', Mode: 'UNRESTRICTED', Metadata: 'm\n🔔' },
      { ...plain, ChannelArn: garden, Name: 'Garden' },
    ])
  })

  test('returns PUBLIC channels to everybody, and the PRIVATE ones to admins alone', async () => {
    for (const ChimeBearer of [people.owner, people.moderator, people.member, people.hidden, people.stranger]) {
      assert.deepEqual(await arnsOf({ ChimeBearer }), [lobby, garden])
      assert.deepEqual(await arnsOf({ ChimeBearer, Privacy: 'PUBLIC' }), [lobby, garden])
      await assertRefused(list({ ChimeBearer, Privacy: 'PRIVATE' }), 'Forbidden', noAccess)
    }
    const { admin: ChimeBearer } = people
    assert.deepEqual(await arnsOf({ ChimeBearer }), [lobby, secret, garden])
    assert.deepEqual(await arnsOf({ ChimeBearer, Privacy: 'PUBLIC' }), [lobby, garden])
    assert.deepEqual(await arnsOf({ ChimeBearer, Privacy: 'PRIVATE' }), [secret])
  })

  test('returns the time of a channel’s last message, not when the channel was last changed', async () => {
    const { MessageId } = await people.send()
    const { CreatedTimestamp } = await people.read(MessageId)
    await server.messaging.updateChannel({ ChannelArn: garden, ChimeBearer: people.owner, Name: 'Garden' })
    const [first, second] = (await list()) ?? []
    assert.deepEqual([first?.LastMessageTimestamp, second?.LastMessageTimestamp], [CreatedTimestamp, undefined])
  })

  test('leaves out a PUBLIC channel for the users that are banned from it', async () => {
    const outcast = await people.createUser('outcast')
    await ban(store, garden, outcast)
    assert.deepEqual(await arnsOf({ ChimeBearer: outcast }), [lobby])
    await server.identity.createAppInstanceAdmin({
      AppInstanceArn: people.appInstanceArn,
      AppInstanceAdminArn: outcast,
    })
    assert.deepEqual(await arnsOf({ ChimeBearer: outcast }), [lobby, secret, garden])
  })

  test('leaves out what is deleted, and puts what is created again at the end', async () => {
    const ChannelId = 'again'
    const first = await people.createChannel({ Privacy: 'PUBLIC', ChannelId })
    const second = await people.createChannel({ Privacy: 'PUBLIC' })
    await server.messaging.deleteChannel({ ChannelArn: first, ChimeBearer: people.owner })
    assert.deepEqual(await arnsOf(), [lobby, garden, second])
    await people.createChannel({ Privacy: 'PUBLIC', ChannelId })
    assert.deepEqual(await arnsOf(), [lobby, garden, second, first])
  })

  test('rejects the AppInstance of others, one that is unknown, and another Privacy', async () => {
    for (const AppInstanceArn of [others.appInstanceArn, `${people.appInstanceArn}0`, lobby]) {
      await assertRefused(list({ AppInstanceArn }), 'Forbidden', noAccess)
      await assertRefused(list({ AppInstanceArn, ChimeBearer: people.admin }), 'Forbidden', noAccess)
    }
    const constraint = violation('privacy', 'satisfy enum value set: [PUBLIC, PRIVATE]')
    await assertRefused(list({ Privacy: 'SECRET' as 'PUBLIC' }), 'BadRequest', constraint)
  })
})
