import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate } from '../../support/population.ts'
import { assertRefused, outcomeOf } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)
const associate = (ChannelFlowArn: string, ChannelArn: string) =>
  server.messaging.associateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer: people.owner })
const flowOf = async (ChannelArn: string) =>
  (await server.messaging.describeChannel({ ChannelArn, ChimeBearer: people.owner })).Channel?.ChannelFlowArn

suite('AssociateChannelFlow', () => {
  test('gives a channel its flow, and accepts the same one again', async () => {
    const [ChannelArn, ChannelFlowArn] = [await people.createChannel(), await people.createFlow(['first'])]
    for (const _ of ['once', 'again']) {
      const { $metadata } = await associate(ChannelFlowArn, ChannelArn)
      assert.equal($metadata.httpStatusCode, 200)
      assert.equal(await flowOf(ChannelArn), ChannelFlowArn)
    }
  })

  test('gives one flow to many channels', async () => {
    const ChannelFlowArn = await people.createFlow(['first'])
    for (const ChannelArn of [await people.createChannel(), await people.createChannel()]) {
      await associate(ChannelFlowArn, ChannelArn)
      assert.equal(await flowOf(ChannelArn), ChannelFlowArn)
    }
  })

  test('rejects another flow as long as there is one', async () => {
    const ChannelArn = await people.createChannel()
    const [one, other] = [await people.createFlow(['first']), await people.createFlow(['first'])]
    await associate(one, ChannelArn)
    const text = 'Another channel flow is associated with the channel: disassociate it first'
    await assertRefused(associate(other, ChannelArn), 'Conflict', text)
    assert.equal(await flowOf(ChannelArn), one)
  })

  test('takes one of two flows at once', async () => {
    const ChannelArn = await people.createChannel()
    const flows = [await people.createFlow(['first']), await people.createFlow(['first'])]
    const outcomes = await Promise.all(flows.map((flow) => outcomeOf(associate(flow, ChannelArn))))
    assert.deepEqual(outcomes.toSorted(), ['Conflict', 'accepted'])
    assert.equal(await flowOf(ChannelArn), flows[outcomes.indexOf('accepted')])
  })

  test('does not find a flow that is unknown or no flow', async () => {
    await assertRefused(associate(`${people.appInstanceArn}/channel-flow/f`, people.channelArn), 'NotFound')
    await assertRefused(associate(people.channelArn, people.channelArn), 'NotFound')
  })

  test('rejects a flow of another AppInstance, and what is no ARN, as bad requests', async () => {
    const theirs = await (await populate(server)).createFlow(['first'])
    await assertRefused(associate(theirs, people.channelArn), 'BadRequest', /another AppInstance/)
    await assertRefused(associate('flow', people.channelArn), 'BadRequest', /'channelFlowArn'/)
  })

  test('holds no message that was sent before', async () => {
    const held = await populate(server)
    const { Status } = await held.send()
    await held.attachFlow(['first'])
    assert.equal(Status?.Value, 'SENT')
    assert.deepEqual(await held.history(held.owner), ['hello'])
  })
})
