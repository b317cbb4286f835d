import assert from 'node:assert/strict'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import type { Locator } from 'playwright-core'
import { openFile, type Record } from '../scale/record.ts'
import { missingBrowser } from '../support/chromium.ts'
import { populate } from '../support/population.ts'
import { unlessRequired } from '../support/required.ts'
import { ConsolePages } from './console-pages.ts'

const skip = unlessRequired(missingBrowser)
const messages = 100_000
const pending = 10_000

/** Copies the row of a table whose `key` is `from`. `changes` say what is different, in SQL, in copy number `n`. */
async function copyRows(
  record: Record,
  table: string,
  from: string,
  count: number,
  changes: { [column: string]: string },
) {
  const columns = (await record.all<{ name: string }>(`SELECT name FROM pragma_table_info('${table}')`)).map(
    ({ name }) => name,
  )
  assert.ok(columns.includes('message_id'), table)
  await record.run(
    `WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < $1)
     INSERT INTO ${table} (${columns})
     SELECT ${columns.map((column) => changes[column] ?? `template.${column}`)} FROM ${table} AS template, numbers
     WHERE template.message_id = $2`,
    count,
    from,
  )
}

suite(`the console with ${messages} messages and ${pending} pending ones, in Chromium`, { skip }, async () => {
  if (skip) return
  const pages = await ConsolePages.start()
  const { server } = pages
  const people = await populate(server)
  const sent = (await people.send()).MessageId!
  await people.attachFlow(['first'])
  const held = (await people.sendHeld()).ChannelMessage.MessageId!
  {
    await using record = openFile(join(server.dataDir, 'carillon.sqlite'))
    const copy = (prefix: string) => ({ message_id: `'${prefix}-' || n` })
    await copyRows(record, 'channel_message', sent, messages, { ...copy('sent'), seq: '1000 + n' })
    await copyRows(record, 'channel_message', held, pending, { ...copy('held'), seq: `1000 + ${messages} + n` })
    await copyRows(record, 'flow_run', held, pending, { ...copy('held'), callback_id: `'callback-' || n` })
    await copyRows(record, 'flow_step', held, pending, { ...copy('held'), callback_id: `'callback-' || n` })
    await record.run('UPDATE channel_head SET next_seq = next_seq + $1', 1_000 + messages + pending)
  }
  await server.restart()
  const page = await pages.signedIn('/pending')
  const channel = encodeURIComponent(people.channelArn)
  const row = page.getByRole('row').nth(1)
  const ready: [path: string, sign: Locator][] = [
    ['/try-it', page.getByRole('button', { name: 'first' })],
    ['/messages', page.getByText('No message has failed.')],
    ['/messages?view=pending', row.getByRole('link').first()],
    [`/messages?view=channel&channel=${channel}`, row.getByText('Pending')],
    [`/messages?view=channel&channel=${channel}&status=FAILED`, page.getByRole('button', { name: 'Search on' })],
    [`/messages/${held}?channel=${channel}`, page.getByRole('img', { name: /^first: / })],
    ['/pending', row.getByRole('link').first()],
    ['/processors', page.getByRole('link', { name: /^10,00\d, oldest/ })],
  ]

  test('every page opens; the diagnostic says how soon', async (t) => {
    const times: string[] = []
    for (const [path, sign] of ready) {
      const startedMs = performance.now()
      await page.goto(pages.origin + path)
      await sign.waitFor()
      times.push(`${path.replace(channel, 'ARN')} ${Math.round(performance.now() - startedMs)} ms`)
    }
    t.diagnostic(times.join(', '))
  })

  test('a search goes on after the rows that one call looks at', async () => {
    await page.goto(`${pages.origin}/messages?view=channel&channel=${channel}&status=FAILED`)
    const searchOn = page.getByRole('button', { name: 'Search on' })
    const searchedTo = page.getByText('Searched back to')
    await searchOn.click()
    await searchedTo.waitFor()
    assert.equal(await page.getByRole('row').count(), 2, 'the header, and that none was found so far')
  })

  test('a hundred of them are selected and completed, with a confirmation that says so', async () => {
    await page.goto(`${pages.origin}/pending`)
    await row.getByRole('link').first().waitFor()
    await page.getByRole('button', { name: 'Show more' }).click()
    await page.getByRole('row').nth(100).waitFor()
    await page.getByRole('checkbox', { name: 'Select all that are shown' }).check()
    await page.getByRole('button', { name: 'Complete…' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Complete 100 messages' }).click()
    await page.getByText('100 messages were completed.').waitFor()
    const { body } = await server.call('GET', '/carillon/v1/processors')
    assert.equal(body.Processors[0].Held, pending + 1 - 100)
  })
})
