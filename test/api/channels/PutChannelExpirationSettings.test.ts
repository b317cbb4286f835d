import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const { messaging } = server
const ExpirationSettings = { ExpirationDays: 3, ExpirationCriterion: 'LAST_MESSAGE_TIMESTAMP' } as const

suite('PutChannelExpirationSettings', () => {
  test('returns the settings, which DescribeChannel shows until they are taken off', async () => {
    const { channelArn: ChannelArn, moderator: ChimeBearer, owner } = await populate(server)
    const describe = async () =>
      (await messaging.describeChannel({ ChannelArn, ChimeBearer: owner })).Channel?.ExpirationSettings
    const answer = await messaging.putChannelExpirationSettings({ ChannelArn, ChimeBearer, ExpirationSettings })
    const { $metadata: _, ...put } = answer
    assert.deepEqual(put, { ChannelArn, ExpirationSettings })
    assert.deepEqual(await describe(), ExpirationSettings)
    const { $metadata: __, ...none } = await messaging.putChannelExpirationSettings({ ChannelArn, ChimeBearer })
    assert.deepEqual(none, { ChannelArn })
    assert.equal(await describe(), undefined)
  })

  test('needs no bearer, and then says nothing of a channel that does not exist', async () => {
    const { channelArn: ChannelArn, owner: ChimeBearer } = await populate(server)
    await messaging.putChannelExpirationSettings({ ChannelArn, ExpirationSettings })
    const { Channel } = await messaging.describeChannel({ ChannelArn, ChimeBearer })
    assert.deepEqual(Channel?.ExpirationSettings, ExpirationSettings)
    const unknown = { ChannelArn: `${ChannelArn}0`, ExpirationSettings }
    await assertRefused(messaging.putChannelExpirationSettings(unknown), 'Forbidden', noAccess)
  })

  test('tells no session of it', async () => {
    const people = await populate(server)
    const session = await server.session(people.member)
    await messaging.putChannelExpirationSettings({ ChannelArn: people.channelArn, ExpirationSettings })
    await people.send()
    assert.equal((await session.next()).eventType, 'CREATE_CHANNEL_MESSAGE')
  })

  test('rejects settings that AWS does not have', async () => {
    const { channelArn: ChannelArn } = await populate(server)
    const put = (settings: object) =>
      messaging.putChannelExpirationSettings({ ChannelArn, ExpirationSettings: settings as typeof ExpirationSettings })
    await assertRefused(put({ ...ExpirationSettings, ExpirationDays: 0 }), 'BadRequest', /expirationDays/)
    await assertRefused(put({ ...ExpirationSettings, ExpirationCriterion: 'NEVER' }), 'BadRequest', /enum value set/)
  })
})
