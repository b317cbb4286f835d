import assert from 'node:assert/strict'
import { type ExecFileOptionsWithStringEncoding, execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { play } from '../../src/cli/demo/play.ts'
import { expectedOutcome, problemsOf, type Scenario, scenarios } from '../../src/cli/demo/scenarios.ts'
import { loadSdk, trust } from '../../src/cli/demo/sdk.ts'
import { clearStage, setStage } from '../../src/cli/demo/stage.ts'
import { Table } from '../../src/cli/demo/table.ts'
import { waitMsMax, within } from '../../src/cli/demo/within.ts'
import { readConfig } from '../../src/config.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { startServer } from '../../src/server.ts'
import { compileCache } from '../support/compile-cache.ts'
import { ManualClock } from '../support/manual-clock.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-demo-test-'))
  t.after(() => rm(folder, { recursive: true }))
  return folder
}

function run(args: string[], options: Omit<ExecFileOptionsWithStringEncoding, 'encoding'> = {}) {
  const { promise, resolve } = Promise.withResolvers<{ code: unknown; stdout: string; stderr: string }>()
  execFile(process.execPath, args, { ...options, encoding: 'utf8' }, (error, stdout, stderr) =>
    resolve({ code: error?.code ?? 0, stdout, stderr }),
  )
  return promise
}

suite('carillon demo', () => {
  test('shows that every message comes to its end, and leaves nothing behind', async (t) => {
    const folder = await temporaryFolder(t)
    const { code, stdout, stderr } = await run([main, 'demo'], { env: { ...compileCache, TMPDIR: folder } })
    assert.equal(stderr, '')
    assert.equal(code, 0, stdout)
    assert.equal(stdout.match(/│ ✓ │/g)?.length, scenarios.length)
    for (const { text, title } of scenarios) {
      assert.ok(stdout.includes(`"${text}"`), text)
      assert.ok(stdout.includes(title), title)
    }
    assert.ok(!stdout.includes('\x1b'), 'colours are for terminals')
    assert.ok(stdout.split('\n').every((line) => line.length < 100))
    assert.deepEqual(await readdir(folder), [])
  })

  test('refuses arguments', async () => {
    const { code, stderr } = await run([main, 'demo', '--fast'])
    assert.equal(code, 1)
    assert.equal(stderr, 'carillon: npx carillon demo has no arguments, but got "--fast"\n')
  })

  test('says what to install when the clients are not there', async () => {
    const withoutSessions = `
      import { registerHooks } from 'node:module'
      registerHooks({ resolve: (name, context, next) => next(name.replace(/^amazon-chime-sdk-js$/, 'not-there'), context) })`
    const imports = `data:text/javascript,${encodeURIComponent(withoutSessions)}`
    const { code, stderr } = await run(['--import', imports, main, 'demo'])
    assert.equal(code, 1)
    const packages = 'amazon-chime-sdk-js @aws-sdk/client-chime-sdk-identity'
    assert.ok(stderr.endsWith(`npm install ${packages}\n`), stderr)
    assert.equal(stderr.split('\n').length, 2)
  })
})

suite('the demo notices', () => {
  const [scenario] = scenarios as [Scenario]

  test('nothing when all is as expected', () => {
    for (const each of scenarios) assert.deepEqual(problemsOf(each, expectedOutcome(each)), [])
  })

  test('whatever is otherwise', () => {
    const nothing = { response: 'SENT', sender: [], recipient: [], status: 'PENDING', history: [] }
    const text = '"Good morning, Bob"'
    assert.deepEqual(problemsOf(scenario, nothing), [
      'SendChannelMessage returned SENT, not PENDING',
      `the sender saw nothing, not PENDING_CREATE ${text}, CREATE ${text}`,
      `the recipient saw nothing, not CREATE ${text}`,
      'GetChannelMessageStatus returns PENDING, not SENT',
      `ListChannelMessages shows nothing, not ${text}`,
    ])
  })

  test('a message that gets through although it must not', async (t) => {
    const folder = await temporaryFolder(t)
    const flags = ['--data-dir', folder, '--functions', folder, '--http-port', '0', '--https-port', '0']
    const { config } = readConfig(flags, {}, () => '')
    const world = { clock: systemClock, log: silentLog, newId: randomUUID, random: Math.random }
    const server = await startServer(config, world)
    trust(server.endpoint.ca ?? assert.fail('a server with TLS has an authority'))
    const stage = await setStage(server, await loadSdk())
    t.after(async () => {
      await clearStage(stage)
      await server.close()
    })
    const unchecked = scenarios.find(({ fallbackAction }) => fallbackAction === 'CONTINUE') as Scenario
    const expected = { event: 'FAILED_CREATE', status: 'FAILED' } as const
    const { recipient, problems } = await play({ ...unchecked, expected }, stage, systemClock)
    assert.deepEqual(recipient, [{ event: 'CREATE', text: unchecked.text }])
    assert.ok(problems.includes(`the recipient saw CREATE "${unchecked.text}", not nothing`), problems.join('\n'))
  })

  test('that something does not come', async () => {
    const clock = new ManualClock()
    const waiting = within(clock, 'the outcome', new Promise(() => {}))
    clock.advance(waitMsMax)
    await assert.rejects(waiting, { message: 'the outcome: timed out after 20 s' })
  })
})

suite('the table of the demo', () => {
  const table = new Table([
    { title: 'Name', width: 6 },
    { title: 'Says', width: 9 },
  ])

  test('has borders that meet', () => {
    const row = table.row([[{ text: 'Ann' }], [{ text: 'Hello' }, { text: 'Bye', style: 'red' }]])
    assert.equal(
      [table.head(), row, table.foot()].join('\n'),
      `┌────────┬───────────┐
│ Name   │ Says      │
├────────┼───────────┤
│ Ann    │ Hello     │
│        │ Bye       │
└────────┴───────────┘`,
    )
  })

  test('breaks long lines between words, and long words anywhere', () => {
    assert.equal(
      table.row([[{ text: 'Ann' }], [{ text: 'so long and incomprehensible' }]]),
      `├────────┼───────────┤
│ Ann    │ so long   │
│        │ and       │
│        │ incompreh │
│        │ ensible   │`,
    )
  })
})
