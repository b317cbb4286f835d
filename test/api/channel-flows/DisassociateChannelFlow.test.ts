import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type Population, populate } from '../../support/population.ts'
import { assertRefused } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const disassociate = ({ channelArn, owner }: Population, ChannelFlowArn: string, ChannelArn = channelArn) =>
  server.messaging.disassociateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer: owner })

suite('DisassociateChannelFlow', () => {
  test('lets messages pass from then on', async () => {
    const people = await populate(server)
    const ChannelFlowArn = await people.attachFlow(['first'])
    assert.equal((await people.send()).Status?.Value, 'PENDING')
    const { $metadata } = await disassociate(people, ChannelFlowArn)
    assert.equal($metadata.httpStatusCode, 204)
    assert.equal((await people.send()).Status?.Value, 'SENT')
  })

  test('does not release a message in processing', async () => {
    const people = await populate(server)
    const ChannelFlowArn = await people.attachFlow(['first'])
    const event = await people.sendHeld()
    await disassociate(people, ChannelFlowArn)
    assert.deepEqual(await people.history(people.owner), [])
    await people.allow(event)
    assert.deepEqual(await people.history(people.owner), ['hello'])
  })

  test('does not change the other channels of the flow', async () => {
    const people = await populate(server)
    const ChannelFlowArn = await people.attachFlow(['first'])
    const other = await people.createChannel()
    const { owner: ChimeBearer } = people
    await server.messaging.associateChannelFlow({ ChannelArn: other, ChannelFlowArn, ChimeBearer })
    await disassociate(people, ChannelFlowArn)
    assert.equal((await people.send({ ChannelArn: other })).Status?.Value, 'PENDING')
  })

  test('frees quota for another flow', async () => {
    const people = await populate(server)
    await disassociate(people, await people.attachFlow(['first']))
    await people.attachFlow(['second'])
    assert.equal((await people.send()).Status?.Value, 'PENDING')
  })

  test('does not find a flow that the channel has not', async () => {
    const people = await populate(server)
    const text = 'The channel flow is not associated with the channel'
    const unused = await people.createFlow(['first'])
    await assertRefused(disassociate(people, unused), 'NotFound', text)
    const ChannelFlowArn = await people.attachFlow(['first'])
    await assertRefused(disassociate(people, unused), 'NotFound', text)
    await disassociate(people, ChannelFlowArn)
    await assertRefused(disassociate(people, ChannelFlowArn), 'NotFound', text)
  })

  test('rejects what is no ARN as a bad request', async () => {
    const people = await populate(server)
    await assertRefused(disassociate(people, 'flow'), 'BadRequest', /'channelFlowArn'/)
  })
})
