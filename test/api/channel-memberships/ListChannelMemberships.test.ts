import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { ListChannelMembershipsCommandInput } from '@aws-sdk/client-chime-sdk-messaging'
import { populate } from '../../support/population.ts'
import { assertRefused } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)
const list = (input: Partial<ListChannelMembershipsCommandInput> = {}) =>
  server.messaging.listChannelMemberships({ ChannelArn: people.channelArn, ChimeBearer: people.owner, ...input })

suite('ListChannelMemberships', () => {
  test('answers the DEFAULT members in the order of their creation, and nothing else about them', async () => {
    const { ChannelArn, ChannelMemberships, NextToken } = await list()
    assert.equal(ChannelArn, people.channelArn)
    assert.deepEqual(ChannelMemberships, [
      { Member: { Arn: people.owner, Name: 'owner' } },
      { Member: { Arn: people.member, Name: 'member' } },
    ])
    assert.equal(NextToken, undefined)
    assert.deepEqual((await list({ Type: 'DEFAULT' })).ChannelMemberships, ChannelMemberships)
  })

  test('answers the HIDDEN ones when a moderator asks for them', async () => {
    const { ChannelMemberships } = await list({ Type: 'HIDDEN', ChimeBearer: people.moderator })
    assert.deepEqual(ChannelMemberships, [{ Member: { Arn: people.hidden, Name: 'hidden' } }])
  })

  test('refuses sub-channels and other Types as bad requests', async () => {
    await assertRefused(list({ SubChannelId: 's' }), 'BadRequest', /SubChannelId/)
    await assertRefused(list({ Type: 'ALL' as 'HIDDEN' }), 'BadRequest', /'type'/)
  })
})
