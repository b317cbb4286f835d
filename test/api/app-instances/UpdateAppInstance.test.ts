import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { UpdateAppInstanceCommandInput } from '@aws-sdk/client-chime-sdk-identity'
import { ManualClock } from '../../support/manual-clock.ts'
import { assertRefused, noAccess, violation } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

type Input = Partial<UpdateAppInstanceCommandInput>

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const { AppInstanceArn } = await server.identity.createAppInstance({ Name: 'Bells', Metadata: 'old' })
const update = (input: Input = {}) =>
  server.identity.updateAppInstance({ AppInstanceArn, Name: 'Chimes', Metadata: 'new', ...input })
const describe = async () => (await server.identity.describeAppInstance({ AppInstanceArn })).AppInstance

suite('UpdateAppInstance', () => {
  test('replaces name and metadata, and sets the time of the update', async () => {
    const before = await describe()
    clock.advance(1)
    assert.equal((await update()).AppInstanceArn, AppInstanceArn)
    const LastUpdatedTimestamp = new Date(clock.now())
    assert.deepEqual(await describe(), { ...before, Name: 'Chimes', Metadata: 'new', LastUpdatedTimestamp })
  })

  test('takes empty metadata', async () => {
    await update({ Metadata: '' })
    assert.equal((await describe())?.Metadata, '')
  })

  test('leaves the tags', async () => {
    const Tags = [{ Key: 'k', Value: 'v' }]
    await server.identity.tagResource({ ResourceARN: AppInstanceArn, Tags })
    await update()
    assert.deepEqual((await server.identity.listTagsForResource({ ResourceARN: AppInstanceArn })).Tags, Tags)
  })
})

suite('UpdateAppInstance rejects', () => {
  const rejected: Record<string, [input: Input, text: string | RegExp]> = {
    'no Name': [{ Name: undefined }, violation('name', 'not be null')],
    'no Metadata': [{ Metadata: undefined }, violation('metadata', 'not be null')],
    'an empty Name': [{ Name: '' }, violation('name', 'have length greater than or equal to 1')],
    'a Name of 257 characters': [{ Name: 'n'.repeat(257) }, violation('name', 'have length less than or equal to 256')],
    '1025 characters of Metadata': [{ Metadata: 'm'.repeat(1025) }, /'metadata' .* less than or equal to 1024/],
    'a malformed ARN': [{ AppInstanceArn: 'bells' }, /'appInstanceArn'/],
  }
  for (const [what, [input, text]] of Object.entries(rejected)) {
    test(what, () => assertRefused(update(input), 'BadRequest', text))
  }

  test('an unknown AppInstance, and an ARN of something else', async () => {
    await assertRefused(update({ AppInstanceArn: `${AppInstanceArn}0` }), 'Forbidden', noAccess)
    await assertRefused(update({ AppInstanceArn: `${AppInstanceArn}/user/u` }), 'Forbidden', noAccess)
  })
})
