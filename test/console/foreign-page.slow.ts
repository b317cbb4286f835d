import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, suite, test } from 'node:test'
import type { Page } from 'playwright-core'
import { missingBrowser } from '../support/chromium.ts'
import { populate } from '../support/population.ts'
import { unlessRequired } from '../support/required.ts'
import { ConsolePages } from './console-pages.ts'

const skip = unlessRequired(missingBrowser)
const foreignHost = 'console.example'

/** An empty page at another port of 127.0.0.1, which is the same site for a browser: it sends the console's cookie. */
async function serveForeignPage(): Promise<string> {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<!doctype html><title>foreign</title><body></body>')
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  after(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** The script of the foreign page: it posts to the console as well as a page can. Returns what it could read. */
const tryCall = (page: Page, url: string, init: object): Promise<string> =>
  page.evaluate(
    `fetch(${JSON.stringify(url)}, { credentials: 'include', ...${JSON.stringify(init)} })
      .then(async (response) => response.type + response.status + await response.text())
      .catch(() => 'refused')`,
  )

suite('a page of another origin, while the console is open in the same browser', { skip }, async () => {
  if (skip) return
  const pages = await ConsolePages.start({}, [`--host-resolver-rules=MAP ${foreignHost} 127.0.0.1`])
  const { server, origin } = pages
  const people = await populate(server)
  await people.attachFlow(['first'])
  const { ChannelMessage } = await people.sendHeld()
  const deny = `${origin}/carillon/v1/messages/${ChannelMessage.MessageId}?operation=deny`
  const console = await pages.signedIn('/pending')
  const foreign = await console.context().newPage()
  const foreignUrl = await serveForeignPage()
  await foreign.goto(foreignUrl)

  async function assertUnchanged() {
    const { body } = await server.call('GET', '/carillon/v1/pending')
    assert.equal(body.Messages.length, 1, 'the message is still held')
    await console.reload()
    await console.getByRole('link', { name: ChannelMessage.MessageId!.slice(0, 8) }).waitFor()
  }

  test('cannot act by fetch, with or without the headers of a write', async () => {
    const body = JSON.stringify({ ReasonCode: 'OTHER' })
    const own = { 'content-type': 'application/json', 'x-carillon-console': '1' }
    assert.equal(await tryCall(foreign, deny, { method: 'POST', body, headers: own }), 'refused')
    assert.equal(await tryCall(foreign, deny, { method: 'POST', body, mode: 'no-cors' }), 'refused')
    assert.equal(await tryCall(foreign, `${origin}/console/sign-out`, { method: 'POST', mode: 'no-cors' }), 'refused')
    await assertUnchanged()
  })

  test('cannot read by fetch', async () => {
    assert.equal(await tryCall(foreign, `${origin}/console/session`, {}), 'refused')
    assert.equal(await tryCall(foreign, `${origin}/carillon/v1/pending`, {}), 'refused')
  })

  test('cannot act by a form', async () => {
    const posted = foreign.waitForResponse(deny)
    await foreign.evaluate(`{
      const form = Object.assign(document.createElement('form'), { method: 'post', action: ${JSON.stringify(deny)}, enctype: 'text/plain' })
      form.append(Object.assign(document.createElement('input'), { name: '{"ReasonCode":"OTHER","a":"', value: '"}' }))
      document.body.append(form)
      form.submit()
    }`)
    assert.equal((await posted).status(), 403)
    await foreign.waitForURL(deny)
    await foreign.goto(foreignUrl)
    await assertUnchanged()
  })

  test('cannot open the live connection', async () => {
    const live = `${origin.replace('http', 'ws')}/console/live`
    const outcome = await foreign.evaluate(`new Promise((resolve) => {
      const socket = new WebSocket(${JSON.stringify(live)})
      socket.onmessage = () => resolve('a frame')
      socket.onclose = () => resolve('closed')
    })`)
    assert.equal(outcome, 'closed')
  })

  test('cannot frame the console', async () => {
    await foreign.evaluate(
      `document.body.append(Object.assign(document.createElement('iframe'), { src: '${origin}/pending' }))`,
    )
    const frame = foreign.frames().at(-1)!
    await frame.waitForLoadState()
    assert.ok(!(await frame.content()).includes('id="console"'), 'the frame shows no page of the console')
  })

  test('cannot reach the console by another host name', async () => {
    const page = await pages.page()
    const response = await page.goto(`http://${foreignHost}:${new URL(origin).port}/`)
    assert.equal(response?.status(), 421)
    assert.ok(!(await page.content()).includes('id="console"'))
  })
})
