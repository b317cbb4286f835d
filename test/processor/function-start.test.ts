import assert from 'node:assert/strict'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, type TestContext, test } from 'node:test'
import type { FunctionCode } from '../../src/processor/function-files.ts'
import { startError } from '../../src/processor/function-process.ts'
import type { HandOff } from '../../src/processor/target.ts'
import type { Clock } from '../../src/runtime/clock.ts'
import { Shortage } from '../../src/runtime/shortage.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { unlessRequired } from '../support/required.ts'
import { type Files, startFunctions, temporaryFolder, writeFiles } from './functions.ts'

type Outcome = HandOff & { handedOver: number }

/** More threads than a Node process has. */
const threadsMax = 40
const isRoot = process.getuid?.() === 0
/** As root, a user of the test's own: the limit counts all threads of a user, and root has none. */
const uid = isRoot ? 60_000 + (process.pid % 5_000) : Number(process.getuid?.())

/** The reason why this machine cannot run the test, if there is one. */
function obstacle(): string | false {
  if (process.platform !== 'linux') return 'prlimit is of Linux'
  try {
    const [command = '', ...given] = asUser('prlimit', '--version')
    execFileSync(command, given)
    return false
  } catch (error) {
    return (error as Error).message
  }
}

/** Lets the user read the project, wherever it lies. */
const reading = '+dac_read_search'
const change = [
  `--reuid=${uid}`,
  `--regid=${uid}`,
  '--clear-groups',
  `--inh-caps=${reading}`,
  `--ambient-caps=${reading}`,
]
const asUser = (...command: string[]) => (isRoot ? ['setpriv', ...change, ...command] : command)

/** A server's function target in a process of its own: takes a function's name on each line, and prints the outcome. */
async function startServer(t: TestContext, files: Files) {
  const folder = await temporaryFolder(t, files)
  chmodSync(folder, 0o755)
  const source = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href)
  const code = `
    import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
    import { createFunctionTarget } from ${source('processor/function-target.ts')}
    import { systemClock } from ${source('runtime/clock.ts')}
    import { silentLog } from ${source('runtime/log.ts')}
    const target = createFunctionTarget({
      folder: ${JSON.stringify(folder)},
      processesMax: 100,
      environment: () => ({}),
      // A Node without threads may hang until its time is over, so that time passes four times as fast here.
      clock: { ...systemClock, at: (atMs, wake) => systemClock.at(Date.now() + (atMs - Date.now()) / 4, wake) },
      log: silentLog,
      newId: () => crypto.randomUUID(),
    })
    for await (const name of createInterface({ input: process.stdin })) {
      let handedOver = 0
      const outcome = await target.invoke(name, 'arn', { ChannelMessage: {} }, () => { handedOver += 1 })
      console.log(JSON.stringify({ ...outcome, handedOver }))
    }
    await target.close()`
  const [command = '', ...given] = asUser(process.execPath, '--input-type=module', '-e', code)
  const server = spawn(command, given, { stdio: ['pipe', 'pipe', 'inherit'], cwd: '/' })
  const exited = once(server, 'exit')
  t.after(async () => {
    // It ends its functions first.
    server.stdin.end()
    const timer = setTimeout(() => server.kill('SIGKILL'), 10_000)
    await exited
    clearTimeout(timer)
  })
  const outcomes = createInterface({ input: server.stdout })[Symbol.asyncIterator]()
  return {
    async invoke(name: string): Promise<Outcome> {
      server.stdin.write(`${name}\n`)
      return JSON.parse((await outcomes.next()).value ?? 'null')
    },
    get limitMax(): string {
      return /^Max processes +\S+ +(\S+)/m.exec(readFileSync(`/proc/${server.pid}/limits`, 'utf8'))?.[1] ?? ''
    },
    /** The soft limit, as the user: who may raise it again. */
    limit: (processes: number | string) => {
      const [command = '', ...given] = asUser('prlimit', '--pid', String(server.pid), `--nproc=${processes}:`)
      execFileSync(command, given)
    },
  }
}

/** How many threads the user has. */
function threads(): number {
  const field = (status: string, name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1])
  const statusOf = (pid: string) => {
    try {
      return readFileSync(`/proc/${pid}/status`, 'utf8')
    } catch {
      return ''
    }
  }
  const statuses = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(statusOf)
  return statuses
    .filter((status) => field(status, 'Uid') === uid)
    .reduce((sum, status) => sum + field(status, 'Threads'), 0)
}

test('a process that the system gives too few threads has had no event', {
  skip: unlessRequired(obstacle()),
}, async (t) => {
  const names = Array.from({ length: threadsMax }, (_, index) => `f${index}`)
  const files = Object.fromEntries(names.map((name) => [`${name}.mjs`, 'export const handler = async () => {}']))
  const server = await startServer(t, { ...files, 'first.mjs': 'export const handler = async () => {}' })
  const completed = { result: 'completed', handedOver: 1 }
  // From now on the server itself needs no more threads.
  assert.deepEqual(await server.invoke('first'), completed)

  const reasons: string[] = []
  for (const [index, name] of names.entries()) {
    server.limit(index === 0 ? 1 : threads() + index)
    const outcome = await server.invoke(name)
    if (outcome.result === 'completed') break
    const { reason, ...rest } = { reason: '', ...outcome }
    assert.deepEqual(rest, { result: 'deferred', cause: 'processes', handedOver: 0 }, reason)
    reasons.push(reason)
  }
  assert.match(reasons[0] ?? '', /EAGAIN$/)
  // Another test of the same user may end meanwhile, and then there are more threads to have.
  if (isRoot)
    assert.ok(
      reasons.some((reason) => reason.includes('SIGABRT before it had started')),
      reasons.join('\n'),
    )

  server.limit(server.limitMax)
  let outcome = await server.invoke('f0')
  while (outcome.result === 'deferred') outcome = await server.invoke('f0')
  assert.deepEqual(outcome, completed)
})

describe('a process that ends before it has started has had no event', () => {
  /** Runs the code before anything of the bootstrap, until `endShortage`. */
  async function start(t: TestContext, code: string, options: { clock?: Clock } = {}) {
    const outside = await temporaryFolder(t)
    const functions = await startFunctions(t, before(code, join(outside, 'over')), options)
    return { ...functions, endShortage: () => writeFiles(outside, { over: '' }) }
  }
  const before = (code: string, over: string): Files => ({
    'redact/index.mjs': 'export const handler = () => {}',
    'redact/function.json': '{ "environment": { "NODE_OPTIONS": "--require=./before.cjs" } }',
    'redact/before.cjs': `if (!require('fs').existsSync(${JSON.stringify(over)})) { ${code} }`,
  })
  const deferred = (cause: string, reason: string) => ({ result: 'deferred', reason, cause, handedOver: 0 })
  const completed = { result: 'completed', handedOver: 1 }

  test("when it is killed, as when memory runs out, and what it printed is not the function's", async (t) => {
    const { invoke, log, endShortage } = await start(
      t,
      "console.error('no room'); process.kill(process.pid, 'SIGKILL')",
    )
    const reason = 'its process was ended by SIGKILL before it had started: no room'
    assert.deepEqual(await invoke('redact'), deferred('memory', reason))
    assert.deepEqual(log.texts('warn'), [])
    await endShortage()
    assert.deepEqual(await invoke('redact'), completed)
  })

  test('when it does not start in time', async (t) => {
    const clock = new ManualClock()
    const { invoke, log, endShortage } = await start(t, 'for (;;);', { clock })
    const outcome = invoke('redact')
    await log.waitFor('function process started')
    clock.advance(10_000)
    assert.deepEqual(await outcome, deferred('processes', 'its process did not start within 10000 ms'))
    await endShortage()
    assert.deepEqual(await invoke('redact'), completed)
  })

  test('when the server closes', async (t) => {
    const clock = new ManualClock()
    const { invoke, log, target } = await start(t, 'for (;;);', { clock })
    const outcome = invoke('redact')
    await log.waitFor('function process started')
    const closed = target.close()
    clock.advance(2_000)
    assert.deepEqual(await outcome, deferred('closing', 'the server is closing'))
    await closed
  })
})

test('why the system starts no process is told apart', () => {
  const code = { file: '/functions/redact.mjs', environment: {} } as FunctionCode
  const kinds = {
    EAGAIN: 'processes',
    EMFILE: 'descriptors',
    ENOMEM: 'memory',
    // The folder that it is to run in, or Node itself, was exchanged a moment ago.
    ENOENT: 'functions folder',
    EACCES: 'functions folder',
    EPERM: 'processes',
  }
  for (const [errorCode, kind] of Object.entries(kinds)) {
    const error = startError(Object.assign(new Error(`spawn ${errorCode}`), { code: errorCode }), code)
    assert.ok(error instanceof Shortage)
    assert.deepEqual([error.kind, error.message], [kind, `spawn ${errorCode}`])
  }
})

test('a process that prints before it has started, and starts, has printed it for the event', async (t) => {
  const { invoke, log } = await startFunctions(t, {
    'redact/index.mjs': 'export const handler = () => {}',
    'redact/function.json': '{ "environment": { "NODE_OPTIONS": "--require=./before.cjs" } }',
    'redact/before.cjs': "console.log('before')",
  })
  assert.deepEqual(await invoke('redact', 'm-1'), { result: 'completed', handedOver: 1 })
  const lines = log.lines.filter((line) => line.text === 'before')
  assert.deepEqual(
    lines.map((line) => line.fields.messageId),
    ['m-1'],
  )
})
