import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const list = async (ChannelFlowArn: string) =>
  (await server.messaging.listChannelsAssociatedWithChannelFlow({ ChannelFlowArn })).Channels

suite('ListChannelsAssociatedWithChannelFlow', () => {
  test('returns the channels of the flow, PRIVATE ones too, in the order of their creation', async () => {
    const people = await populate(server, { Metadata: 'm' })
    const { owner: ChimeBearer, channelArn: lobby } = people
    const garden = await people.createChannel({ Name: 'Garden 🔔', Privacy: 'PUBLIC', Mode: 'UNRESTRICTED' })
    const [ChannelFlowArn, other] = [await people.createFlow(['first']), await people.createFlow(['second'])]
    assert.deepEqual(await list(ChannelFlowArn), [])
    for (const ChannelArn of [garden, lobby]) {
      await server.messaging.associateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer })
    }
    await people.send({ ChimeBearer, Type: 'CONTROL', Content: 'c' })
    const gardenSummary = { ChannelArn: garden, Name: 'Garden 🔔', Mode: 'UNRESTRICTED', Privacy: 'PUBLIC' }
    const lobbySummary = { ChannelArn: lobby, Name: 'Lobby', Mode: 'RESTRICTED', Privacy: 'PRIVATE', Metadata: 'm' }
    assert.deepEqual(await list(ChannelFlowArn), [lobbySummary, gardenSummary])
    assert.deepEqual(await list(other), [])

    await server.messaging.disassociateChannelFlow({ ChannelArn: lobby, ChannelFlowArn, ChimeBearer })
    assert.deepEqual(await list(ChannelFlowArn), [gardenSummary])
    await server.messaging.deleteChannel({ ChannelArn: garden, ChimeBearer })
    assert.deepEqual(await list(ChannelFlowArn), [])
  })

  test('rejects an unknown flow, an ARN of something else, and what is no ARN', async () => {
    const { appInstanceArn, channelArn } = await populate(server)
    await assertRefused(list(`${appInstanceArn}/channel-flow/f`), 'Forbidden', noAccess)
    await assertRefused(list(channelArn), 'Forbidden', noAccess)
    await assertRefused(list('flow'), 'BadRequest', /'channelFlowArn'/)
  })
})
