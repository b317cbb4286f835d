import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { missingBrowser } from '../support/chromium.ts'
import { populate } from '../support/population.ts'
import { unlessRequired } from '../support/required.ts'
import { ConsolePages } from './console-pages.ts'
import { picture } from './picture.ts'

const skip = unlessRequired(missingBrowser)
const hostileName = '<img src="x" onerror="document.title = \'run\'">'

const firstLoadBytesMax = 350_000
const furtherPageBytesMax = 130_000

suite('good manners of the console, in Chromium', { skip }, async () => {
  if (skip) return
  const pages = await ConsolePages.start()
  const { server, origin } = pages
  const people = await populate(server)
  await server.messaging.updateChannel({
    ChannelArn: people.channelArn,
    ChimeBearer: people.owner,
    Name: hostileName,
    Mode: 'UNRESTRICTED',
  })
  await people.attachFlow(['first', 'second'])
  const held = (await people.sendHeld({ Content: hostileName })).ChannelMessage.MessageId!
  const denied = await people.sendHeld()
  await people.deny(denied)
  const channel = encodeURIComponent(people.channelArn)
  const paths = [
    '/try-it',
    '/messages',
    '/messages?view=pending',
    `/messages?view=channel&channel=${channel}`,
    `/messages/${held}`,
    `/messages/${denied.ChannelMessage.MessageId}`,
    '/pending',
    '/processors',
    '/no-such-page',
  ]

  for (const colorScheme of ['light', 'dark'] as const) {
    test(`axe finds nothing serious on any page, ${colorScheme}`, async () => {
      const page = await pages.signedIn('/', { colorScheme })
      for (const path of paths) {
        await open(page, path)
        assert.deepEqual(await seriousViolations(page), [], path)
      }
      await page.goto(`${origin}/pending`)
      await page.getByRole('row').getByRole('checkbox').last().check()
      await page.getByRole('button', { name: 'Deny…' }).click()
      await page.getByRole('dialog').waitFor()
      assert.deepEqual(await seriousViolations(page), [], 'the dialog')
      const stranger = await pages.page({ colorScheme })
      await stranger.goto(origin)
      await stranger.getByRole('heading', { name: 'Sign in' }).waitFor()
      assert.deepEqual(await seriousViolations(stranger), [], 'the sign-in')
    })
  }

  test('no page is wider than a window of 400 px', async () => {
    const page = await pages.signedIn('/', { viewport: { width: 400, height: 800 } })
    for (const path of paths) {
      await open(page, path)
      const width = await page.evaluate('document.documentElement.scrollWidth')
      assert.equal(width, 400, path)
    }
    await open(page, '/pending')
    await picture(page, 'console-narrow')
  })

  test('the name of a channel and the text of a message are never HTML', async () => {
    const page = await pages.signedIn(`/messages?view=channel&channel=${channel}`)
    await page.getByRole('heading', { name: hostileName }).waitFor()
    await page.goto(`${origin}/messages/${held}`)
    await page.getByRole('button', { name: 'Complete…' }).click()
    await page.getByRole('button', { name: 'Show and edit the text' }).click()
    assert.equal(await page.getByRole('dialog').getByRole('textbox').inputValue(), hostileName)
    assert.equal(await page.locator('img[src="x"]').count(), 0)
    assert.notEqual(await page.title(), 'run')
  })

  test('the keyboard alone finds a message, opens its dialog and leaves it', async () => {
    const page = await pages.signedIn('/messages')
    await page.keyboard.press('Tab')
    await page.keyboard.press('Enter')
    await tabTo(page, 'MessageId')
    await page.keyboard.type(held)
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Deny…' }).waitFor()
    await tabTo(page, 'Deny…')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    await page.getByRole('dialog').waitFor({ state: 'detached' })
  })

  test('eight open tabs of one browser are live', async () => {
    const first = await pages.signedIn('/pending')
    const tabs = [first]
    while (tabs.length < 8) tabs.push(await first.context().newPage())
    for (const tab of tabs.slice(1)) await tab.goto(`${origin}/pending`)
    for (const tab of tabs) await tab.getByText('Live', { exact: true }).waitFor()
  })

  test('as received, the first page has under 350 kB, and no other page adds more than 130', async (t) => {
    const page = await pages.page()
    let received = 0
    const protocol = await page.context().newCDPSession(page)
    await protocol.send('Network.enable')
    protocol.on('Network.loadingFinished', ({ encodedDataLength }) => {
      received += encodedDataLength
    })
    await page.goto(await pages.link())
    await page.getByRole('button', { name: 'first' }).waitFor()
    const sizes = [['sign-in and Try it', received]] as [string, number][]
    for (const name of ['Messages', 'Pending', 'Processors']) {
      received = 0
      await page.getByRole('link', { name: new RegExp(`^${name}`) }).click()
      await page.getByRole('heading', { name, exact: true }).waitFor()
      await page.waitForLoadState('networkidle')
      sizes.push([name, received])
    }
    t.diagnostic(sizes.map(([name, bytes]) => `${name}: ${(bytes / 1000).toFixed(0)} kB`).join(', '))
    const [[, firstLoad] = ['', 0], ...others] = sizes
    assert.ok(firstLoad > 50_000 && firstLoad < firstLoadBytesMax, `the first page: ${firstLoad} bytes`)
    for (const [name, bytes] of others) assert.ok(bytes < furtherPageBytesMax, `${name}: ${bytes} bytes`)
  })

  async function open(page: Page, path: string): Promise<void> {
    await page.goto(origin + path)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.waitForLoadState('networkidle')
  }
})

interface Violation {
  id: string
  impact: string
  nodes: { html: string }[]
}

async function seriousViolations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  const run = await page.evaluate('axe.run()')
  const { passes, violations } = run as { passes: object[]; violations: Violation[] }
  assert.ok(passes.length > 10, `axe has looked at ${passes.length} rules only`)
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)
}

/** Presses Tab until an element with this name has the focus. */
async function tabTo(page: Page, name: string): Promise<void> {
  const focused = () =>
    page.evaluate('document.activeElement.getAttribute("aria-label") ?? document.activeElement.textContent')
  for (let pressed = 0; (await focused()) !== name; pressed += 1) {
    assert.ok(pressed < 60, `Tab does not reach ${name}`)
    await page.keyboard.press('Tab')
  }
}
