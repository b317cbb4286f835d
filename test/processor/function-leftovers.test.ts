import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import { ManualClock } from '../support/manual-clock.ts'
import { unlessRequired } from '../support/required.ts'
import { openGate, startFunctions } from './functions.ts'

const skip = unlessRequired(process.platform !== 'linux' && 'only Linux shows what a function leaves running')

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
})
