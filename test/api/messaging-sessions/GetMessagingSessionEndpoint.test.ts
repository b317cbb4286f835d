import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { assertRefused } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
const get = (NetworkType?: 'IPV4_ONLY' | 'DUAL_STACK') => server.messaging.getMessagingSessionEndpoint({ NetworkType })

suite('GetMessagingSessionEndpoint', () => {
  test('returns a bare host and port, where clients put wss:// in front', async () => {
    const { Endpoint } = await get()
    assert.equal(Endpoint?.Url, server.endpoint.https?.replace('https://127.0.0.1', 'localhost'))
  })

  test('accepts both NetworkTypes, and no other', async () => {
    assert.deepEqual((await get('IPV4_ONLY')).Endpoint, (await get('DUAL_STACK')).Endpoint)
    await assertRefused(get('IPV6' as 'DUAL_STACK'), 'BadRequest', /'networkType'/)
  })
})
