import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { after, suite, test } from 'node:test'
import { promisify } from 'node:util'
import { launchChromium, missingBrowser } from '../support/chromium.ts'
import { unlessPermitted, unlessRequired } from '../support/required.ts'

const run = promisify(execFile)
const root = join(import.meta.dirname, '../..')
const lookMsMax = 20_000
const waitMsMax = 90_000

/** Why there can be no clone here, or no packages for it. */
async function missingSource(): Promise<string | false> {
  const works = (command: string, ...args: string[]) =>
    run(command, args, { timeout: lookMsMax }).then(
      () => true,
      () => false,
    )
  if (!(await works('git', 'ls-remote', '--heads', `file://${root}`))) return 'git does not clone this folder'
  return !(await works('npm', 'view', 'ws', 'version')) && 'the registry of npm cannot be reached'
}
const skip = unlessRequired(missingBrowser) || unlessPermitted(await missingSource())

suite('from a clone to the first held message', { skip }, async () => {
  if (skip) return
  const folder = await mkdtemp(join(tmpdir(), 'carillon-clone-'))
  after(() => rm(folder, { recursive: true, force: true, maxRetries: 10 }))
  const clone = join(folder, 'carillon')
  await run('git', ['clone', '--quiet', `file://${root}`, clone])
  const browser = await launchChromium()

  /** `npm start` on a terminal, since only a terminal gets the link. Returns the link. */
  async function start(): Promise<string> {
    const ports = { CARILLON_HTTP_PORT: '0', CARILLON_HTTPS_PORT: '0', CARILLON_ADMIN_PORT: '0' }
    const env = { ...process.env, ...ports }
    const child = spawn(
      'script',
      ['--quiet', '--command', `cd ${clone} && exec npm start`, join(folder, 'typescript')],
      { env },
    )
    // The end of its terminal ends the server.
    after(async () => {
      const exited = once(child, 'exit')
      child.kill()
      await exited
    })
    const output: string[] = []
    for await (const line of createInterface({ input: child.stdout! })) {
      output.push(line)
      const [link] = /http:\S+#token=[\w-]+/.exec(line) ?? []
      if (link) return link
    }
    assert.fail(`npm start has printed no link:\n${output.join('\n')}`)
  }

  test('takes two commands and a click; the diagnostic says how long', { timeout: 600_000 }, async (t) => {
    const startedMs = performance.now()
    const times: string[] = []
    const note = (what: string) => times.push(`${what} after ${((performance.now() - startedMs) / 1000).toFixed(0)} s`)
    await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: clone })
    note('installed')
    const link = await start()
    note('link')
    const page = await browser.newPage()
    page.setDefaultTimeout(waitMsMax)
    await page.goto(link)
    await page.getByRole('button', { name: 'deny-words' }).click()
    note('page')
    await page.getByRole('button', { name: 'Start', exact: true }).click()
    const ada = page.getByRole('region', { name: 'Ada' })
    await ada.getByText('connected', { exact: true }).waitFor()
    await ada.getByRole('textbox').fill('What the heck?')
    await ada.getByRole('button', { name: 'Send' }).click()
    await ada
      .getByRole('listitem')
      .filter({ hasText: 'What the heck?' })
      .getByText(/Pending|Denied/)
      .waitFor()
    note('held message')
    t.diagnostic(times.join(', '))
  })
})
