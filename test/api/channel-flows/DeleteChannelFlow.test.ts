import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)
const remove = (ChannelFlowArn: string) => server.messaging.deleteChannelFlow({ ChannelFlowArn })

suite('DeleteChannelFlow', () => {
  test('deletes a flow that no channel has', async () => {
    const ChannelFlowArn = await people.createFlow(['first'], { Tags: [{ Key: 'k', Value: 'v' }] })
    const { $metadata } = await remove(ChannelFlowArn)
    assert.equal($metadata.httpStatusCode, 204)
    await assertRefused(server.messaging.describeChannelFlow({ ChannelFlowArn }), 'Forbidden')
    await assertRefused(remove(ChannelFlowArn), 'Forbidden', noAccess)
  })

  test('rejects a flow that a channel has, until it is disassociated', async () => {
    const held = await populate(server)
    const ChannelFlowArn = await held.attachFlow(['first'])
    const text = 'The channel flow is associated with a channel: disassociate it first'
    await assertRefused(remove(ChannelFlowArn), 'Conflict', text)
    const { channelArn: ChannelArn, owner: ChimeBearer } = held
    await server.messaging.disassociateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer })
    await remove(ChannelFlowArn)
  })

  test('does not disturb a message in processing', async () => {
    const held = await populate(server)
    const ChannelFlowArn = await held.attachFlow(['first', 'second'])
    const event = await held.sendHeld()
    const { channelArn: ChannelArn, owner: ChimeBearer } = held
    await server.messaging.disassociateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer })
    await remove(ChannelFlowArn)
    await held.allow(event)
    await held.allow(await server.processors.next(event.ChannelMessage.MessageId))
    assert.deepEqual(await held.history(held.owner), ['hello'])
  })

  test('rejects an unknown flow, an ARN of something else, and what is no ARN', async () => {
    await assertRefused(remove(`${people.appInstanceArn}/channel-flow/f`), 'Forbidden', noAccess)
    await assertRefused(remove(people.channelArn), 'Forbidden', noAccess)
    await assertRefused(remove('flow'), 'BadRequest', /'channelFlowArn'/)
  })
})
