import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { UpdateChannelFlowCommandInput } from '@aws-sdk/client-chime-sdk-messaging'
import { populate, processor } from '../../support/population.ts'
import { assertRefused, noAccess, violation } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)
const update = (ChannelFlowArn: string, input: Partial<UpdateChannelFlowCommandInput> = {}) =>
  server.messaging.updateChannelFlow({ ChannelFlowArn, Name: 'New', Processors: [processor('second')], ...input })

suite('UpdateChannelFlow', () => {
  test('replaces the Name and all processors', async () => {
    const ChannelFlowArn = await people.createFlow(['first', 'second', 'third'])
    assert.equal((await update(ChannelFlowArn)).ChannelFlowArn, ChannelFlowArn)
    const { ChannelFlow } = await server.messaging.describeChannelFlow({ ChannelFlowArn })
    assert.deepEqual([ChannelFlow?.Name, ChannelFlow?.Processors], ['New', [processor('second')]])
  })

  test('does not disturb a message in processing, and guides the next one', async () => {
    const held = await populate(server)
    const ChannelFlowArn = await held.attachFlow(['first', 'second'])
    const event = await held.sendHeld({ Content: 'old way' })
    await update(ChannelFlowArn, { Processors: [processor('third')] })
    const next = await held.sendHeld({ Content: 'new way' })
    await held.allow(event)
    const second = await server.processors.next(event.ChannelMessage.MessageId)
    await held.allow(second)
    await held.allow(next)
    assert.deepEqual(await held.history(held.owner), ['old way', 'new way'])
  })

  test('rejects what CreateChannelFlow rejects, and changes nothing then', async () => {
    const ChannelFlowArn = await people.createFlow(['first'], { Name: 'Old' })
    const again = [processor('first'), processor('second')]
    const text = violation('processors', 'have a different executionOrder in each processor')
    await assertRefused(update(ChannelFlowArn, { Processors: again }), 'BadRequest', text)
    await assertRefused(update(ChannelFlowArn, { Processors: [] }), 'BadRequest', /'processors'/)
    await assertRefused(update(ChannelFlowArn, { Name: '' }), 'BadRequest', /'name'/)
    const { ChannelFlow } = await server.messaging.describeChannelFlow({ ChannelFlowArn })
    assert.equal(ChannelFlow?.Name, 'Old')
  })

  test('rejects an unknown flow, and what is no ARN', async () => {
    await assertRefused(update(`${people.appInstanceArn}/channel-flow/f`), 'Forbidden', noAccess)
    await assertRefused(update('flow'), 'BadRequest', /'channelFlowArn'/)
  })
})
