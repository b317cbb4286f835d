import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { missingBrowser } from '../support/chromium.ts'
import { unlessRequired } from '../support/required.ts'
import { ConsolePages, enterKey } from './console-pages.ts'

const skip = unlessRequired(missingBrowser)

suite('signing in to the console, in Chromium', { skip }, async () => {
  if (skip) return
  const pages = await ConsolePages.start()
  const { server, origin } = pages

  test('a link signs in, its token leaves the address, and a reload stays signed in', async () => {
    const page = await pages.page()
    await page.goto(await pages.link())
    await page.getByRole('heading', { name: 'Try it' }).waitFor()
    assert.equal(page.url(), `${origin}/try-it`)
    await page.reload()
    await page.getByRole('heading', { name: 'Try it' }).waitFor()
  })

  test('a link does not sign in a second time, and the page says what to do', async () => {
    const link = await pages.link()
    const first = await pages.page()
    await first.goto(link)
    await first.getByRole('heading', { name: 'Try it' }).waitFor()
    const second = await pages.page()
    await second.goto(link)
    await second.getByText('This link was used already').waitFor()
    assert.match(await second.getByRole('main').innerText(), /npx carillon console/)
  })

  test('a wrong key does not sign in, the right one does, at the address that was asked for', async () => {
    const page = await pages.page()
    await page.goto(`${origin}/processors`)
    const key = await server.createKey({ Kind: 'OPERATOR' })
    await enterKey(page, { ...key, secretAccessKey: 'x'.repeat(40) })
    await page.getByText('You are not signed in').waitFor()
    await enterKey(page, key)
    await page.getByRole('heading', { name: 'Processors', exact: true }).waitFor()
    assert.equal(page.url(), `${origin}/processors`)
  })

  test('a reviewer decides, but starts no rehearsal and pauses nothing; a viewer reads', async () => {
    const reviewer = await pages.signedInBy({ Role: 'REVIEWER' }, '/pending')
    await reviewer.getByRole('button', { name: 'Deny…' }).waitFor()
    await reviewer.getByRole('link', { name: 'Try it' }).click()
    await reviewer.getByText('Only an operator of the whole server can start a rehearsal').waitFor()
    const viewer = await pages.signedInBy({ Role: 'VIEWER' }, '/pending')
    await viewer.getByText('No message is held here now.').waitFor()
    assert.equal(await viewer.getByRole('button', { name: 'Deny…' }).count(), 0)
  })

  test('an operator of one AppInstance is told what is not for this key', async () => {
    const { AppInstanceArn } = await server.identity.createAppInstance({ Name: 'one' })
    const page = await pages.signedInBy({ SubjectArn: AppInstanceArn }, '/processors')
    await page.getByText('a key of one AppInstance does not list them').waitFor()
    await page.getByRole('link', { name: 'See what is pending' }).click()
    await page.getByText('No message is held here now.').waitFor()
  })

  test('after the sign-out the cookie is worth nothing', async () => {
    const page = await pages.signedIn('/messages')
    const cookies = await page.context().cookies()
    await page.getByRole('button', { name: /^root/ }).click()
    await page.getByRole('menuitem', { name: 'Sign out' }).click()
    await page.getByText('You are signed out.').waitFor()
    await page.context().addCookies(cookies)
    await page.reload()
    await page.getByRole('heading', { name: 'Sign in' }).waitFor()
  })

  test('a page whose cookie has ended asks for a sign-in, and continues where it was', async () => {
    const page = await pages.signedIn('/messages')
    await page.getByText('No message has failed.').waitFor()
    await page.context().clearCookies()
    await page
      .getByRole('radio', { name: 'Pending' })
      .or(page.getByRole('button', { name: 'Pending' }))
      .first()
      .click()
    await page.getByText('Your session has ended.').waitFor()
    await enterKey(page, await server.createKey({ Kind: 'OPERATOR' }))
    await page.getByRole('heading', { name: 'Messages' }).waitFor()
    assert.equal(page.url(), `${origin}/messages?view=pending`)
  })

  test('a page whose key is suspended asks for a sign-in, without a click', async () => {
    const page = await pages.page()
    await page.goto(`${origin}/messages`)
    const key = await server.createKey({ Kind: 'OPERATOR' })
    await enterKey(page, key)
    await page.getByText('Live', { exact: true }).waitFor()
    const suspended = await server.call('POST', `/carillon/v1/keys/${key.accessKeyId}?operation=suspend`)
    assert.ok(suspended.status < 300, JSON.stringify(suspended.body))
    await page.getByText('Your session has ended.').waitFor()
  })
})
