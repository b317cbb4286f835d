import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openChannel, startCarillon } from './carillon.mjs'

let carillon
before(async () => {
  carillon = await startCarillon('functions')
})
after(() => carillon?.stop())

test('a phone number is replaced', async () => {
  const send = await openChannel(carillon, 'redact-personal-data')
  assert.deepEqual(await send('Call +1 212 555 0142'), { status: 'SENT', text: 'Call [phone]' })
})

test('a bad word is denied', async () => {
  const send = await openChannel(carillon, 'deny-words')
  assert.deepEqual(await send('What the heck?'), { status: 'DENIED' })
})
