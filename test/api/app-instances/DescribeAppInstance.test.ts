import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ManualClock } from '../../support/manual-clock.ts'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const describe = async (AppInstanceArn: string | undefined) =>
  (await server.identity.describeAppInstance({ AppInstanceArn })).AppInstance

suite('DescribeAppInstance', () => {
  test('returns the members of its creation, and the time in milliseconds', async () => {
    const created = { Name: 'Bells 🔔', Metadata: 'line\nbreak\0' }
    const { AppInstanceArn } = await server.identity.createAppInstance(created)
    const at = new Date(clock.now())
    clock.advance(1)
    const expected = { AppInstanceArn, ...created, CreatedTimestamp: at, LastUpdatedTimestamp: at }
    assert.deepEqual(await describe(AppInstanceArn), expected)
  })

  test('leaves out what there is not', async () => {
    const { AppInstanceArn } = await server.identity.createAppInstance({ Name: 'Bells' })
    const { body } = await server.call('GET', `/app-instances/${encodeURIComponent(AppInstanceArn!)}`)
    assert.deepEqual(Object.keys(body.AppInstance).sort(), [
      'AppInstanceArn',
      'CreatedTimestamp',
      'LastUpdatedTimestamp',
      'Name',
    ])
  })

  test('rejects an unknown ARN, one of something else, and what is no ARN', async () => {
    const { AppInstanceArn } = await server.identity.createAppInstance({ Name: 'Bells' })
    await assertRefused(describe(`${AppInstanceArn}0`), 'Forbidden', noAccess)
    await assertRefused(describe(`${AppInstanceArn}/user/u`), 'Forbidden', noAccess)
    await assertRefused(describe('bells'), 'BadRequest', /'appInstanceArn'/)
  })
})
