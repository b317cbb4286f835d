import assert from 'node:assert/strict'
import { execFileSync, type SpawnOptions, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { launchChromium, missingBrowser } from '../support/chromium.ts'
import { unlessRequired } from '../support/required.ts'

const root = join(import.meta.dirname, '../..')
/** With it a command has a terminal: the server prints its link on one only. */
const terminal = '/usr/bin/script'
const waitMsMax = 240_000

function missing(): string | false {
  if (missingBrowser) return missingBrowser
  if (!existsSync(terminal)) return `${terminal} is not installed`
  if (!existsSync(join(root, '.git'))) return 'this is no clone'
  return spawnSync('npm', ['ping'], { timeout: 20_000 }).status !== 0 && 'the npm registry is not reachable'
}
const skip = unlessRequired(missing())

async function run(t: TestContext, [command = '', ...args]: string[], options: SpawnOptions): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'inherit'], ...options })
  t.after(() => child.kill('SIGKILL'))
  const [status] = await once(child, 'exit')
  assert.equal(status, 0, `${command} ${args.join(' ')}`)
}

/** The link that `npm start` prints. */
async function start(t: TestContext, cwd: string, environment: NodeJS.ProcessEnv): Promise<string> {
  // Of this machine's servers one may have the ports.
  const command = 'exec npm start -- --http-port 0 --https-port 0'
  const child = spawn(terminal, ['-qefc', command, '/dev/null'], {
    cwd,
    env: environment,
    stdio: ['pipe', 'pipe', 'inherit'],
    detached: true,
  })
  const ended = once(child, 'exit')
  t.after(async () => {
    process.kill(-child.pid!, 'SIGTERM')
    await ended
  })
  let printed = ''
  const link = new Promise<string>((resolve) => {
    child.stdout.on('data', (chunk) => {
      printed += chunk
      const found = /http:\/\/127\.0\.0\.1:\d+\/#token=[\w-]+/.exec(printed)
      if (found) resolve(found[0])
    })
  })
  return Promise.race([link, ended.then(() => assert.fail(`npm start printed no link: ${printed}`))])
}

test('from git clone, with two commands and a click, to the first held message', {
  skip,
  timeout: 400_000,
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-clone-'))
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }))
  execFileSync('git', ['clone', '--quiet', root, join(folder, 'carillon')], { stdio: 'inherit' })
  const cwd = join(folder, 'carillon')
  // As a person's shell: nothing of the run of these tests.
  const { NODE_OPTIONS: _, NODE_COMPILE_CACHE: __, NODE_TEST_CONTEXT: ___, ...env } = process.env
  const startedMs = performance.now()
  const seconds = () => Math.round((performance.now() - startedMs) / 1_000)

  await run(t, ['npm', 'ci'], { cwd, env })
  const installed = seconds()
  const link = await start(t, cwd, env)
  const ready = seconds()

  const page = await (await launchChromium()).newPage()
  page.setDefaultTimeout(waitMsMax)
  await page.goto(link)
  const choice = page.getByRole('button', { name: 'redact-personal-data' })
  await choice.waitFor()
  const shown = seconds()
  await choice.click()
  await page.getByRole('button', { name: 'Start', exact: true }).click()
  const ada = page.getByRole('region', { name: 'Ada' })
  await ada.getByText('connected', { exact: true }).waitFor()
  await ada.getByRole('textbox').fill('Call +1 212 555 0142')
  await ada.getByRole('button', { name: 'Send' }).click()
  await page.getByRole('region', { name: 'Ben' }).getByText('Call [phone]').waitFor()
  t.diagnostic(
    `npm ci ${installed} s, npm start ${ready - installed} s, the page ${shown - ready} s, in all ${seconds()} s`,
  )
})
