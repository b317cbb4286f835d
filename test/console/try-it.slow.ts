import assert from 'node:assert/strict'
import { rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { missingBrowser } from '../support/chromium.ts'
import { unlessRequired } from '../support/required.ts'
import { ConsolePages } from './console-pages.ts'
import { picture } from './picture.ts'

const skip = unlessRequired(missingBrowser)

/** A function that decides about a message by what stands in it, and prints what it did. */
const functionThat = (decides: string) => `
import { ChannelFlowCallbackCommand, ChimeSDKMessagingClient } from '@aws-sdk/client-chime-sdk-messaging'
const chime = new ChimeSDKMessagingClient({})
export async function handler({ CallbackId, ChannelMessage: { ChannelArn, MessageId, Content } }) {
  ${decides}
}
const allow = (ChannelArn, CallbackId, MessageId, Content) =>
  chime.send(new ChannelFlowCallbackCommand({ ChannelArn, CallbackId, ChannelMessage: { MessageId, Content } }))
const deny = (ChannelArn, CallbackId, MessageId) =>
  chime.send(new ChannelFlowCallbackCommand({ ChannelArn, CallbackId, DeleteResource: true, ChannelMessage: { MessageId } }))`

const hideNumbers = (replacement: string) =>
  functionThat(`const text = Content.replace('+1 212 555 0142', '${replacement}')
  if (text !== Content) console.log('replaced a number by ${replacement}')
  await allow(ChannelArn, CallbackId, MessageId, text)`)

const denyWords = functionThat(`if (Content.includes('wait')) return console.log('left to a person')
  const isDenied = Content.includes('heck')
  console.log(isDenied ? 'denied: a word of the list' : 'allowed')
  await (isDenied ? deny(ChannelArn, CallbackId, MessageId) : allow(ChannelArn, CallbackId, MessageId, Content))`)

suite('Try it, in Chromium', { skip }, async () => {
  if (skip) return
  const pages = await ConsolePages.start()
  const { server } = pages
  const writeFunction = async (name: string, source: string) => {
    const file = join(server.functions, `${name}.mjs`)
    await writeFile(`${file}.new`, source)
    await rename(`${file}.new`, file)
  }
  await writeFunction('hide-numbers', hideNumbers('[phone]'))
  await writeFunction('deny-words', denyWords)
  const page = await pages.signedIn('/', { viewport: { width: 1280, height: 760 } })
  const [ada, ben] = [page.getByRole('region', { name: 'Ada' }), page.getByRole('region', { name: 'Ben' })]
  const output = page.getByRole('region', { name: 'Output of the functions' })

  test('starts a channel for two people with a flow of the functions that are there', async () => {
    await page.getByRole('button', { name: 'hide-numbers' }).click()
    await page.getByRole('button', { name: 'deny-words' }).click()
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    for (const person of [ada, ben]) await person.getByText('connected', { exact: true }).waitFor()
  })

  test('shows a message PENDING and then sent, changed, to both; and what the function printed', async () => {
    await send(ben, 'Hello Ada! When can we talk?')
    await bubble(ada, 'Hello Ada!').waitFor()
    await send(ada, 'Call me: +1 212 555 0142')
    await bubble(ben, 'Call me: [phone]').waitFor()
    await bubble(ada, 'Call me: [phone]').getByText('Sent').waitFor()
    await output.getByText('replaced a number by [phone]').waitFor()
  })

  test('shows a denied message to its sender only, and its timeline at a click', async () => {
    await send(ben, 'What the heck?')
    await bubble(ben, 'What the heck?').getByText('Denied').waitFor()
    assert.equal(await bubble(ada, 'What the heck?').count(), 0)
    await bubble(ben, 'What the heck?').getByRole('button').first().click()
    const timeline = page.getByRole('region', { name: 'What happened to the message' })
    await timeline.getByText('Denied').first().waitFor()
    await timeline.getByRole('img', { name: /^deny-words: .*Denied/ }).waitFor()
    await picture(page, 'console-try-it')
  })

  test('a function that is changed while this runs takes the next message', async () => {
    await writeFunction('hide-numbers', hideNumbers('[number]'))
    await until(async () => {
      await send(ada, 'Again: +1 212 555 0142')
      await bubble(ben, 'Again: ').last().waitFor()
      return (await bubble(ben, 'Again: [number]').count()) > 0
    })
  })

  test('shows the error of a function that is broken, until it is repaired', async () => {
    await writeFunction('hide-numbers', 'export const handler = nothingOfThisName')
    await send(ada, 'Is it broken?')
    await output.getByText('hide-numbers is broken').waitFor()
    await output.getByText('nothingOfThisName is not defined').first().waitFor()
    await writeFunction('hide-numbers', hideNumbers('[number]'))
  })

  test('edits and redacts', async () => {
    await send(ben, 'A first text')
    await bubble(ada, 'A first text').waitFor()
    await bubble(ben, 'A first text').getByRole('button', { name: 'Edit the message' }).click()
    await ben.getByRole('textbox').fill('A better text')
    await ben.getByRole('button', { name: 'Update' }).click()
    await bubble(ada, 'A better text').getByText('edited').waitFor()
    await bubble(ben, 'A better text').getByRole('button', { name: 'Redact the message' }).click()
    await bubble(ada, 'Redacted').waitFor()
  })

  test('sends a targeted message and a CONTROL message', async () => {
    await ada.getByRole('checkbox', { name: 'Only Ben' }).check()
    await send(ada, 'Between us')
    await bubble(ben, 'Between us').getByText('targeted').waitFor()
    await ada.getByRole('checkbox', { name: 'Only Ben' }).uncheck()
    await ada.getByRole('checkbox', { name: 'CONTROL' }).check()
    await send(ada, 'typing')
    await bubble(ben, 'typing').getByText('CONTROL').waitFor()
    await ada.getByRole('checkbox', { name: 'CONTROL' }).uncheck()
  })

  test('a reload continues the rehearsal, with the denied message and its timeline', async () => {
    await page.reload()
    await bubble(ben, 'What the heck?').getByText('Denied').waitFor()
    for (const person of [ada, ben]) await person.getByText('connected', { exact: true }).waitFor()
    await page.getByRole('region', { name: 'What happened to the message' }).getByText('Denied').first().waitFor()
  })

  test('a person decides about a message that is held', async () => {
    await send(ben, 'I wait for someone')
    await bubble(ben, 'I wait').getByText('Pending').waitFor()
    await bubble(ben, 'I wait').getByRole('button').first().click()
    await act(page, 'Complete')
    await bubble(ada, 'I wait').waitFor()
  })
})

async function send(person: Locator, text: string): Promise<void> {
  await person.getByRole('textbox').fill(text)
  await person.getByRole('button', { name: 'Send' }).click()
  // It is empty again when the message is sent.
  await person.locator('textarea:placeholder-shown').waitFor()
}

const bubble = (person: Locator, text: string) => person.getByRole('listitem').filter({ hasText: text })

async function act(page: Page, name: string): Promise<void> {
  await page.getByRole('button', { name: `${name}…` }).click()
  await page
    .getByRole('dialog')
    .getByRole('button', { name: `${name} this message` })
    .click()
}

/** Each try is an act of its own. */
async function until(isDone: () => Promise<boolean>): Promise<void> {
  while (!(await isDone()));
}
