import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { openChannel, startCarillon } from './carillon.mjs'

vi.setConfig({ hookTimeout: 30_000, testTimeout: 30_000 })

let carillon
beforeAll(async () => {
  carillon = await startCarillon('functions')
})
afterAll(() => carillon?.stop())

test('a phone number is replaced', async () => {
  const send = await openChannel(carillon, 'redact-personal-data')
  expect(await send('Call +1 212 555 0142')).toEqual({ status: 'SENT', text: 'Call [phone]' })
})

test('a bad word is denied', async () => {
  const send = await openChannel(carillon, 'deny-words')
  expect(await send('What the heck?')).toEqual({ status: 'DENIED' })
})
