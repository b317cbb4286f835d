import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Page } from 'playwright-core'
import { missingBrowser } from '../support/chromium.ts'
import { populate } from '../support/population.ts'
import { unlessRequired } from '../support/required.ts'
import { ConsolePages } from './console-pages.ts'
import { picture } from './picture.ts'

const skip = unlessRequired(missingBrowser)

suite('acts on held messages, in Chromium', { skip }, async () => {
  if (skip) return
  const pages = await ConsolePages.start()
  const { server } = pages
  const people = await populate(server)
  await people.attachFlow(['first', 'second'])
  const page = await pages.signedIn('/pending', { viewport: { width: 1280, height: 640 } })

  /** Sends a message that the first function holds. Returns its id. */
  const hold = async (Content: string): Promise<string> =>
    (await people.sendHeld({ Content })).ChannelMessage.MessageId!
  const open = (id: string) => page.goto(`${pages.origin}/messages/${id}`)

  test('a message appears on the page as soon as it is held', async () => {
    await page.getByText('No message is held here now.').waitFor()
    const id = await hold('appears')
    await row(page, id).waitFor()
    await page.getByRole('link', { name: /Pending 1/ }).waitFor()
  })

  test('denies many at once, after a confirmation that says how many', async () => {
    const ids = [await hold('one'), await hold('two'), await hold('three')]
    for (const id of ids) await row(page, id).getByRole('checkbox').check()
    await page.getByRole('button', { name: 'Deny…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('Deny 3 messages?').waitFor()
    await dialog.getByLabel('Reason', { exact: true }).fill('Not in this channel')
    await picture(page, 'console-deny')
    await dialog.getByRole('button', { name: 'Deny 3 messages' }).click()
    await page.getByText('3 messages were denied.').waitFor()
    for (const id of ids) {
      await row(page, id).waitFor({ state: 'detached' })
      const { body } = await server.call('GET', `/carillon/v1/messages/${id}/timeline`)
      assert.deepEqual(body.Runs[0].Steps[0].Reason, { Code: 'OTHER', Text: 'Not in this channel' })
    }
  })

  test('shows the lanes of a denied message, and why, also as a list and after a reload', async () => {
    const event = await people.sendHeld({ Content: 'denied by its function' })
    const Metadata = '{"carillon":{"reason":{"code":"PROFANITY","text":"Please keep it friendly"}}}'
    await people.deny(event, { Metadata })
    await open(event.ChannelMessage.MessageId!)
    for (const round of ['first', 'reloaded']) {
      await page.getByRole('img', { name: /^first: .*Denied: PROFANITY, Please keep it friendly/ }).waitFor()
      await page.getByRole('img', { name: /^Message: Accepted, Denied/ }).waitFor()
      if (round === 'first') await page.reload()
    }
    await picture(page, 'console-timeline')
    await page.getByRole('button', { name: 'List' }).click()
    await page.getByText('Denied: only its sender was told').waitFor()
  })

  test('completes with an edit, which the members then read', async () => {
    const id = await hold('a rough text')
    await open(id)
    await page.getByRole('button', { name: 'Complete…' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('button', { name: 'Show and edit the text' }).click()
    assert.equal(await dialog.getByRole('textbox').inputValue(), 'a rough text')
    await dialog.getByRole('textbox').fill('a kind text')
    await dialog.getByRole('button', { name: 'Complete this message' }).click()
    await page.getByText('1 message was completed.').waitFor()
    const second = await server.processors.next(id)
    assert.equal(second.ChannelMessage.Content, 'a kind text')
    await page.getByRole('img', { name: /^first: .*Allowed with changes by a person/ }).waitFor()
    const { body } = await server.call('GET', '/carillon/v1/audit')
    assert.ok(body.AuditEvents.some(({ Action }: { Action: string }) => Action === 'carillon:GetHeldMessage'))
  })

  test('extends, has the processor called again, and fails', async () => {
    const id = await hold('stuck')
    await open(id)
    await chooseMore(page, 'Extend…', 'Extend this message')
    await page.getByText('1 message was extended.').waitFor()
    await chooseMore(page, 'Again…', 'Again this message')
    await server.processors.next(id)
    await page.getByText('1 message was queued for its processor again.').waitFor()
    await page.getByRole('button', { name: 'List' }).click()
    await page.getByText('a person moved the deadline').waitFor()
    await chooseMore(page, 'Fail…', 'Fail this message')
    await page.getByText('Failed: only its sender was told').waitFor()
    await page.goto(`${pages.origin}/messages`)
    await row(page, id).getByText('first').waitFor()
  })

  test('says when somebody else was first', async () => {
    const event = await people.sendHeld({ Content: 'decided twice' })
    await page.goto(`${pages.origin}/pending`)
    await row(page, event.ChannelMessage.MessageId!).getByRole('checkbox').check()
    await page.getByRole('button', { name: 'Complete…' }).click()
    await people.deny(event)
    await page.getByRole('dialog').getByRole('button', { name: 'Complete this message' }).click()
    await page.getByRole('dialog').getByText('stays as it is').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Close', exact: true }).last().click()
  })

  test('pauses a processor and resumes it', async () => {
    await page.goto(`${pages.origin}/processors`)
    await page.getByRole('button', { name: 'Pause first' }).click()
    await page.getByRole('article').filter({ hasText: 'first' }).getByText('Paused').waitFor()
    await page.getByRole('button', { name: 'Resume first' }).click()
    await page.getByRole('button', { name: 'Pause first' }).waitFor()
    await picture(page, 'console-processors')
  })

  test('finds the messages of a channel by sender and status, at an address that keeps the filters', async () => {
    const { MessageId } = (await people.sendHeld({ Content: 'of the owner', ChimeBearer: people.owner })).ChannelMessage
    const query = new URLSearchParams({ view: 'channel', channel: people.channelArn, sender: people.owner })
    await page.goto(`${pages.origin}/messages?${query}`)
    await row(page, MessageId!).getByText('Pending').waitFor()
    await page.getByRole('heading', { name: 'Lobby' }).waitFor()
    assert.equal(await page.getByRole('row').count(), 2, 'the header and one message')
    await page.getByRole('button', { name: /Any status/ }).click()
    await page.getByRole('option', { name: 'Failed' }).click()
    await page.getByText('No message of the channel fits these filters.').waitFor()
    await page.reload()
    await page.getByText('No message of the channel fits these filters.').waitFor()
    assert.equal(new URL(page.url()).searchParams.get('status'), 'FAILED')
  })
})

const row = (page: Page, id: string) =>
  page.getByRole('row').filter({ has: page.getByRole('link', { name: id.slice(0, 8) }) })

async function chooseMore(page: Page, item: string, confirmation: string): Promise<void> {
  await page.getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: item }).click()
  await page.getByRole('dialog').getByRole('button', { name: confirmation }).click()
}
