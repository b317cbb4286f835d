import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { after, suite, test } from 'node:test'
import { pathToFileURL } from 'node:url'

const file = join(import.meta.dirname, '../../examples/creds/index.mjs')
const { handler } = await import(pathToFileURL(file).href)

/** The web application, which knows one session. */
const application = createServer(({ headers: { authorization } }, response) => {
  response.writeHead(authorization === 'Bearer session of Ann' ? 200 : 401)
  response.end(JSON.stringify({ id: 'ann', name: 'Ann' }))
})
await once(application.listen(0, '127.0.0.1'), 'listening')
after(() => application.close())

const eventOf = (token: string) => ({ headers: { Authorization: `Bearer ${Buffer.from(token).toString('base64')}` } })

suite('the example of the function creds', () => {
  test('asks for the address of the application', async () => {
    await assert.rejects(handler(eventOf('session of Ann')), /set ACCOUNT_URL/)
  })

  test('returns the person whose session the token is, or null', async (t) => {
    process.env.ACCOUNT_URL = `http://127.0.0.1:${(application.address() as AddressInfo).port}/account.json`
    t.after(() => delete process.env.ACCOUNT_URL)
    assert.deepEqual(await handler(eventOf('session of Ann')), { uuid: 'ann', displayName: 'Ann', metadata: null })
    assert.equal(await handler(eventOf('session of Bob')), null)
  })
})
