import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { describe, type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ManualClock } from '../support/manual-clock.ts'
import { unlessRequired } from '../support/required.ts'
import { openGate, startFunctions } from './functions.ts'

const skip = unlessRequired(process.platform !== 'linux' && 'only Linux shows what a function leaves running')

/** A program in Python that traces a process, as Linux lets every process of the same user, and then does something. */
const tracerOf = (pid: string, then: string) => `
import ctypes, sys, urllib.request
trace = ctypes.CDLL(None).ptrace
trace.argtypes = [ctypes.c_long] * 4
seize = 0x4206
if trace(seize, ${pid}, 0, 0) != 0: sys.exit('the system allows no tracing')
${then}`

const tried = `subprocess.Popen(['sleep', '10'])`
const noTracing =
  skip ||
  (() => {
    const program = tracerOf('child.pid', 'child.kill()').replace('\nif', `\nimport subprocess\nchild = ${tried}\nif`)
    const { status, stderr, error } = spawnSync('python3', ['-c', program], { encoding: 'utf8' })
    return status !== 0 && `python3 cannot trace a process here: ${error?.message ?? stderr.trim()}`
  })()

/**
 * A function with a daemon, which has left the process group, whose parent is gone, and which holds the function's output
 * open. Time stands still, so nothing ends because it has lasted too long.
 */
async function startWithDaemon(t: TestContext) {
  const gate = await openGate(t)
  const start = (file: string) =>
    `spawn(process.execPath, [__dirname + '/${file}'], { stdio: 'inherit', detached: true }).unref()`
  const functions = await startFunctions(
    t,
    {
      'parent.cjs': `const { spawn } = require('node:child_process')
      exports.handler = async () => { ${start('fork.cjs')}; await fetch('${gate.url}/' + process.pid) }`,
      'fork.cjs': `const { spawn } = require('node:child_process'); ${start('daemon.cjs')}`,
      'daemon.cjs': `fetch('${gate.url}/daemon')`,
    },
    { clock: new ManualClock() },
  )
  const outcome = functions.invoke('parent')
  const arrivals = await gate.arrivals(2)
  const daemon = arrivals.find(({ name }) => name === 'daemon')
  const parent = arrivals.find((arrival) => arrival !== daemon)
  assert.ok(daemon && parent)
  return { ...functions, outcome, daemon, parent }
}

describe('a daemon that a function starts ends', { skip }, () => {
  test('with the process of its function, and not with that of another one', async (t) => {
    const [one, other] = [await startWithDaemon(t), await startWithDaemon(t)]
    process.kill(Number(one.parent.name), 'SIGKILL')
    const reason = 'its process was ended by SIGKILL'
    assert.deepEqual(await one.outcome, { result: 'crashed', reason, handedOver: 1 })
    await one.daemon.gone
    await one.log.waitFor('ended processes that a function left running')

    let isOtherGone = false
    void other.daemon.gone.then(() => (isOtherGone = true))
    other.parent.release()
    assert.deepEqual(await other.outcome, { result: 'completed', handedOver: 1 })
    assert.equal(isOtherGone, false)
  })

  test('when the server closes', async (t) => {
    const { daemon, parent, outcome, target } = await startWithDaemon(t)
    parent.release()
    await outcome
    await target.close()
    await daemon.gone
  })

  test('when it traces the process of its function, whose exit nobody sees before that', {
    skip: noTracing,
  }, async (t) => {
    const gate = await openGate(t)
    const clock = new ManualClock()
    const tracer = tracerOf('int(sys.argv[1])', `urllib.request.urlopen('${gate.url}/tracer')`)
    const { invoke } = await startFunctions(
      t,
      {
        'traced.mjs': `import { spawn } from 'node:child_process'
        export const handler = () => {
          const args = ['-c', ${JSON.stringify(tracer)}, process.pid]
          spawn('python3', args, { stdio: 'ignore', detached: true, env: { ...process.env, PATH: ${JSON.stringify(process.env.PATH)} } })
          return new Promise(() => setInterval(() => {}, 1000))
        }`,
      },
      { clock },
    )
    const outcome = invoke('traced')
    const [arrival] = await gate.arrivals(1)
    // The time that a function has, and the time that a killed process has to exit.
    clock.advance(31_000)
    assert.deepEqual(await outcome, { result: 'crashed', reason: 'timed out after 30000 ms', handedOver: 1 })
    await arrival?.gone
  })
})

test('a process that has exited is not signalled again: its number may be that of another one', { skip }, async (t) => {
  const gate = await openGate(t)
  const clock = new ManualClock()
  const { invoke, target } = await startFunctions(
    t,
    {
      // Without an environment it is not found, and it holds the output of its function open.
      'daemon.cjs': `fetch('${gate.url}/daemon')`,
      'leave.cjs': `const { spawn } = require('node:child_process')
      exports.handler = async () => {
        spawn(process.execPath, [__dirname + '/daemon.cjs'], { stdio: 'inherit', detached: true, env: {} }).unref()
        await fetch('${gate.url}/' + process.pid)
        process.exit()
      }`,
    },
    { clock },
  )
  const outcome = invoke('leave')
  const arrivals = await gate.arrivals(2)
  const { mock } = t.mock.method(process, 'kill')
  const parent = arrivals.find(({ name }) => name !== 'daemon')
  const group = -Number(parent?.name)
  const kills = () => mock.calls.filter((call) => call.arguments[0] === group).length
  parent?.release()
  while (kills() === 0) await nextTurn()
  const closed = target.close()
  clock.advance(2_000)
  await Promise.all([outcome, closed])
  assert.equal(kills(), 1)
})
