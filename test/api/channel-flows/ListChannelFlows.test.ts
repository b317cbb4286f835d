import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { populate, processor } from '../../support/population.ts'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const list = async (AppInstanceArn: string) =>
  (await server.messaging.listChannelFlows({ AppInstanceArn })).ChannelFlows

suite('ListChannelFlows', () => {
  test("returns the AppInstance's own flows, without their times", async () => {
    const [people, others] = [await populate(server), await populate(server)]
    assert.deepEqual(await list(people.appInstanceArn), [])
    const ChannelFlowArn = await people.createFlow(['first'], { Name: 'Flow 🔔' })
    await others.createFlow(['second'])
    assert.deepEqual(await list(people.appInstanceArn), [
      { ChannelFlowArn, Name: 'Flow 🔔', Processors: [processor('first')] },
    ])
  })

  test('rejects an unknown AppInstance, an ARN of something else, and what is no ARN', async () => {
    const { appInstanceArn, channelArn } = await populate(server)
    await assertRefused(list(`${appInstanceArn}0`), 'Forbidden', noAccess)
    await assertRefused(list(channelArn), 'Forbidden', noAccess)
    await assertRefused(list('bells'), 'BadRequest', /'appInstanceArn'/)
  })
})
