import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertRefused, noAccess } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const { identity } = server

test('GetAppInstanceRetentionSettings returns nothing without settings, and rejects an unknown AppInstance', async () => {
  const { AppInstanceArn } = await identity.createAppInstance({ Name: 'Bells' })
  const { $metadata: _, ...answer } = await identity.getAppInstanceRetentionSettings({ AppInstanceArn })
  assert.deepEqual(answer, {})
  const unknown = identity.getAppInstanceRetentionSettings({ AppInstanceArn: `${AppInstanceArn}0` })
  await assertRefused(unknown, 'Forbidden', noAccess)
})
