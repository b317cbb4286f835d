import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate, processor } from '../../support/population.ts'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const people = await populate(server)
const describe = async (ChannelFlowArn: string) =>
  (await server.messaging.describeChannelFlow({ ChannelFlowArn })).ChannelFlow

suite('DescribeChannelFlow', () => {
  test('returns the members of its creation, and the time of the last change', async () => {
    const ChannelFlowArn = await people.createFlow(['first', 'second'], { Name: 'Flow 🔔' })
    const createdAt = new Date(clock.now())
    clock.advance(3)
    await server.messaging.updateChannelFlow({ ChannelFlowArn, Name: 'Stream', Processors: [processor('third')] })
    assert.deepEqual(await describe(ChannelFlowArn), {
      ChannelFlowArn,
      Name: 'Stream',
      Processors: [processor('third')],
      CreatedTimestamp: createdAt,
      LastUpdatedTimestamp: new Date(clock.now()),
    })
  })

  test('rejects an unknown flow, an ARN of something else, and what is no ARN', async () => {
    await assertRefused(describe(`${people.appInstanceArn}/channel-flow/f`), 'Forbidden', noAccess)
    await assertRefused(describe(people.channelArn), 'Forbidden', noAccess)
    await assertRefused(describe('flow'), 'BadRequest', /'channelFlowArn'/)
  })
})
