import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { CreateChannelModeratorCommandInput } from '@aws-sdk/client-chime-sdk-messaging'
import type { Store } from '../../../src/store/store.ts'
import { populate } from '../../support/population.ts'
import { assertRefused, invalidUser, noAccess, outcomeOf } from '../../support/refusals.ts'
import { addUsers, ban, userIdOf } from '../../support/rows.ts'
import { startTestServer } from '../../support/running-server.ts'

let store!: Store
const server = await startTestServer({ aroundStore: (opened) => (store = opened) })
const people = await populate(server)
const others = await populate(server)

const promote = (input: Partial<CreateChannelModeratorCommandInput> = {}) =>
  server.messaging.createChannelModerator({
    ChannelArn: people.channelArn,
    ChimeBearer: people.owner,
    ChannelModeratorArn: people.stranger,
    ...input,
  })
suite('CreateChannelModerator', () => {
  test('returns the channel and the moderator by name', async () => {
    const ChannelModeratorArn = await people.createUser('ben')
    const { $metadata, ...answer } = await promote({ ChannelModeratorArn })
    assert.equal($metadata.httpStatusCode, 201)
    const ChannelModerator = { Arn: ChannelModeratorArn, Name: 'ben' }
    assert.deepEqual(answer, { ChannelArn: people.channelArn, ChannelModerator })
  })

  test('gives the moderator role, without a membership', async () => {
    const ChannelArn = await people.createChannel()
    const ChannelModeratorArn = await people.createUser('cleo')
    const update = () => server.messaging.updateChannel({ ChannelArn, ChimeBearer: ChannelModeratorArn, Name: 'Tower' })
    await assertRefused(update(), 'Forbidden', noAccess)
    await promote({ ChannelArn, ChannelModeratorArn })
    await update()
    await assertRefused(people.send({ ChannelArn, ChimeBearer: ChannelModeratorArn }), 'Forbidden', noAccess)
    const { ChannelMemberships } = await server.messaging.listChannelMemberships({
      ChannelArn,
      ChimeBearer: people.owner,
    })
    assert.deepEqual(
      ChannelMemberships?.map(({ Member }) => Member?.Arn),
      [people.owner, people.member],
    )
  })

  test('tells no session, not even that of the moderator', async () => {
    const population = await populate(server)
    const { channelArn: ChannelArn, owner: ChimeBearer, member: ChannelModeratorArn } = population
    const sessions = [await server.session(ChimeBearer), await server.session(ChannelModeratorArn)]
    await promote({ ChannelArn, ChimeBearer, ChannelModeratorArn })
    await population.send()
    for (const session of sessions) assert.deepEqual(await session.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
  })

  test('rejects who is a moderator already', async () => {
    for (const ChannelModeratorArn of [people.owner, people.moderator]) {
      const text = 'The user is a moderator of the channel already'
      await assertRefused(promote({ ChannelModeratorArn }), 'Conflict', text)
    }
  })

  test('rejects what is no user of the AppInstance', async () => {
    for (const ChannelModeratorArn of [people.user('nobody'), others.member, people.channelArn]) {
      await assertRefused(promote({ ChannelModeratorArn }), 'Forbidden', invalidUser)
    }
    await assertRefused(promote({ ChannelModeratorArn: 'ann' }), 'BadRequest', /'channelModeratorArn'/)
  })

  test('rejects who is banned from the channel', async () => {
    const ChannelModeratorArn = await people.createUser('outcast')
    await ban(store, people.channelArn, ChannelModeratorArn)
    await assertRefused(promote({ ChannelModeratorArn }), 'Forbidden', noAccess)
    await promote({ ChannelModeratorArn, ChannelArn: await people.createChannel() })
  })

  test('takes one of ten calls at once', async () => {
    const ChannelModeratorArn = await people.createUser('dora')
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => outcomeOf(promote({ ChannelModeratorArn }))))
    assert.deepEqual(outcomes.sort(), [...Array(9).fill('Conflict'), 'accepted'])
  })

  test('lets a channel have 1,000 moderators', async () => {
    const population = await populate(server)
    const { appInstanceArn, channelArn: ChannelArn, owner: ChimeBearer } = population
    // The owner and the moderator are two.
    await addUsers(store, appInstanceArn, 997)
    await store.transaction(async (transaction) => {
      await transaction.run(
        `INSERT INTO channel_moderator (channel_id, moderator_id, created_by_arn, created_by_name, created_at)
         SELECT channel.channel_id, user_id, '', '""', 0 FROM channel, app_instance_user
         WHERE channel_arn = $1 AND app_instance_user_arn LIKE $2`,
        ChannelArn,
        `${appInstanceArn}/user/row-%`,
      )
    })
    const call = { ChannelArn, ChimeBearer }
    await promote({ ...call, ChannelModeratorArn: population.member })
    const text = 'The limit of 1000 moderators per channel is reached'
    await assertRefused(promote({ ...call, ChannelModeratorArn: population.stranger }), 'ResourceLimitExceeded', text)
    await assertRefused(promote({ ...call, ChannelModeratorArn: population.member }), 'Conflict')
    const rows = await store.read.all(
      'SELECT 1 FROM channel_moderator WHERE moderator_id = $1',
      await userIdOf(store, population.stranger),
    )
    assert.equal(rows.length, 0)
  })
})
