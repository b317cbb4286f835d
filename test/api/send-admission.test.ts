import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { SendAdmission } from '../../src/api/send-admission.ts'
import { Overloaded } from '../../src/contract/api-error.ts'
import type { FlowSnapshot } from '../../src/flow/decision.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { processor } from '../support/population.ts'

const flowOf = (...functionNames: string[]): FlowSnapshot => ({
  channelFlowArn: functionNames.join(),
  processors: functionNames.map(processor) as FlowSnapshot['processors'],
  deadlineMs: 1_000,
})

/** One send, as the test sees it. */
interface Send {
  name: string
  end(): Promise<void>
}

/** An admission with a clock and backlogs of the test's own. */
class Stage {
  readonly clock = new ManualClock()
  /** How far the clock of the machine was set back. */
  setBackMs = 0
  readonly admission: SendAdmission
  /** How many messages of a channel wait for a function. */
  readonly backlog: Record<string, Record<string, number>> = {}
  readonly begun: Send[] = []
  readonly rejected: string[] = []
  readonly counted: string[] = []
  readonly warnings: object[] = []

  constructor(waitingMax = 10_000) {
    const channelsOf = (functionName: string) => Object.values(this.backlog[functionName] ?? {})
    this.admission = new SendAdmission({
      waitingMax,
      // Timers go by elapsed time, as those of Node.
      clock: {
        now: () => this.clock.now() - this.setBackMs,
        at: (atMs, wake) => this.clock.at(atMs + this.setBackMs, wake),
      },
      log: { warn: (fields, text) => this.warnings.push({ ...fields, text }) },
      metrics: { countSendRejection: (reason) => this.counted.push(reason) },
      backlogOf: (functionName) => {
        const channels = channelsOf(functionName)
        return { steps: channels.reduce((sum, steps) => sum + steps, 0), channels: channels.length }
      },
      backlogOfChannel: (functionName, channelArn) => this.backlog[functionName]?.[channelArn] ?? 0,
    })
  }

  get names(): string[] {
    return this.begun.map(({ name }) => name)
  }

  /** Sends into a channel whose flow has these functions, and lets the send come as far as it can. */
  async send(channelArn: string, functionNames = ['f'], sends = 1): Promise<void> {
    for (let send = 1; send <= sends; send += 1) this.#send(channelArn, functionNames)
    await turn()
  }

  #send(channelArn: string, functionNames: string[]): void {
    const ended = Promise.withResolvers<void>()
    const end = async () => {
      ended.resolve()
      await turn()
    }
    this.admission
      .run(channelArn, functionNames.length > 0 ? flowOf(...functionNames) : undefined, async () => {
        this.begun.push({ name: channelArn, end })
        await ended.promise
      })
      .catch((error: unknown) => {
        assert.ok(error instanceof Overloaded)
        assert.equal(error.status, 503)
        this.rejected.push(channelArn)
      })
  }

  /** The oldest sends that are at work end. */
  async end(sends = 1): Promise<void> {
    for (const { end } of this.begun.splice(0, sends)) await end()
  }

  /** Time passes, and the event loop is in time. */
  async pass(byMs: number): Promise<void> {
    this.clock.advance(byMs)
    await turn()
  }

  /** The event loop stalls so many times in a row. */
  async stall(times: number, byMs = 301): Promise<void> {
    for (let stall = 1; stall <= times; stall += 1) this.clock.stall(byMs)
    await turn()
  }
}

const turn = () => new Promise(setImmediate)

suite('a send begins', () => {
  test('at once, and no timer is left after the sends', async () => {
    const stage = new Stage()
    await stage.send('a')
    assert.deepEqual([stage.names, stage.admission.queued], [['a'], 0])
    await stage.end()
    await stage.pass(1_000)
    assert.equal(stage.clock.nextAlarmMs, undefined)
  })

  test('when one of 32 has ended, the functions in turn', async () => {
    const stage = new Stage()
    await stage.send('a', ['busy'], 40)
    await stage.send('b', ['calm'])
    await stage.send('c', [])
    assert.deepEqual([stage.begun.length, stage.admission.queued], [32, 10])
    await stage.end(3)
    assert.deepEqual(stage.names.slice(-3), ['a', 'b', 'c'])
  })

  test('when the one before has failed, too', async () => {
    const { admission } = new Stage()
    const failed = await admission.run('a', undefined, () => Promise.reject(new Error('Forbidden'))).catch(String)
    assert.equal(failed, 'Error: Forbidden')
    const sends = Array.from({ length: 200 }, () =>
      admission.run('a', undefined, () => Promise.reject(new Error('no'))),
    )
    assert.equal((await Promise.allSettled(sends)).length, 200)
    assert.equal(admission.queued, 0)
  })

  test('however long it has waited for its turn: that is no overload', async () => {
    const stage = new Stage()
    await stage.send('a', ['f'], 33)
    await stage.pass(60_000)
    assert.deepEqual([stage.rejected, stage.admission.queued], [[], 1])
    await stage.end()
    assert.equal(stage.admission.queued, 0)
  })
})

suite('for a function with a backlog, sends begin', () => {
  test('four at a time, and do not keep others from beginning', async () => {
    const stage = new Stage()
    stage.backlog.slow = { a: 64 }
    await stage.send('a', ['slow'], 20)
    assert.equal(stage.begun.length, 4)
    await stage.end()
    assert.equal(stage.begun.length, 4)
    await stage.send('b', ['quick'], 32)
    assert.equal(stage.begun.length, 4 + 32)
  })

  test('with a rest in between, while others send', async () => {
    const stage = new Stage()
    stage.backlog.slow = { a: 64 }
    await stage.send('b', ['quick'])
    await stage.send('a', ['slow'], 20)
    await stage.end(5)
    assert.equal(stage.begun.length, 0)
    await stage.pass(10)
    assert.equal(stage.begun.length, 4)
    await stage.pass(1_000)
    await stage.end(4)
    assert.equal(stage.begun.length, 4)
  })

  test('even if it is a later one of the flow', async () => {
    const stage = new Stage()
    stage.backlog.slow = { a: 64 }
    await stage.send('a', ['quick', 'slow'], 20)
    assert.equal(stage.begun.length, 4)
  })
})

suite('with too many messages waiting for a function, a send', () => {
  test('is rejected after a second', async () => {
    const stage = new Stage(100)
    stage.backlog.slow = { a: 100 }
    await stage.send('b', ['slow'])
    await stage.send('c', ['quick'])
    await stage.pass(999)
    assert.deepEqual([stage.names, stage.rejected], [['c'], []])
    await stage.pass(1)
    assert.deepEqual([stage.rejected, stage.counted, stage.admission.queued], [['b'], ['processor'], 0])
  })

  test('begins as soon as fewer wait', async () => {
    const stage = new Stage(100)
    stage.backlog.slow = { a: 100 }
    await stage.send('b', ['slow'])
    stage.backlog.slow = { a: 99 }
    await stage.pass(100)
    assert.deepEqual([stage.names, stage.rejected], [['b'], []])
  })

  test('is rejected from half of them on only if its channel has its share of them', async () => {
    const stage = new Stage(100)
    stage.backlog.slow = { a: 49 }
    await stage.send('a', ['slow'])
    assert.deepEqual(stage.names, ['a'])
    stage.backlog.slow = { a: 40, b: 10 }
    for (const channel of ['a', 'b', 'c']) await stage.send(channel, ['slow'])
    assert.deepEqual(stage.names, ['a', 'b', 'c'])
    await stage.pass(1_000)
    assert.deepEqual([stage.rejected, stage.counted], [['a'], ['channel']])
  })

  test('is rejected even if the clock was set back meanwhile', async () => {
    const stage = new Stage(100)
    stage.backlog.slow = { a: 100 }
    await stage.send('a', ['slow'])
    stage.setBackMs = 3_600_000
    await stage.pass(100)
    assert.deepEqual(stage.rejected, ['a'])
  })

  test('is reported once a minute', async () => {
    const stage = new Stage(1)
    stage.backlog.slow = { a: 1 }
    for (let second = 0; second < 90; second += 1) {
      await stage.send('a', ['slow'])
      await stage.pass(1_000)
    }
    assert.equal(stage.counted.length, 90)
    const warning = { processor: 'slow', text: 'sends rejected: overload' }
    assert.deepEqual(stage.warnings, [
      { reasons: { processor: 1 }, ...warning },
      { reasons: { processor: 59 }, ...warning },
    ])
  })
})

suite('while the event loop lags, a send', () => {
  test('is held back after a second, and begins when a timer is in time', async () => {
    const stage = new Stage()
    await stage.send('a')
    await stage.stall(3)
    await stage.send('b')
    assert.deepEqual(stage.names, ['a', 'b'])
    await stage.stall(1)
    await stage.send('c')
    assert.deepEqual(stage.names, ['a', 'b'])
    await stage.pass(100)
    assert.deepEqual([stage.names, stage.rejected], [['a', 'b', 'c'], []])
  })

  test('is rejected when it was held back for a second', async () => {
    const stage = new Stage()
    await stage.send('a')
    await stage.stall(4)
    await stage.send('b', [])
    await stage.stall(3)
    assert.deepEqual(stage.rejected, [])
    await stage.stall(1)
    assert.deepEqual([stage.rejected, stage.counted, stage.admission.queued], [['b'], ['event_loop'], 0])
  })

  test('is not held back for a lag of which the end was not observed, because no sends came', async () => {
    const stage = new Stage()
    await stage.send('a')
    await stage.end()
    await stage.stall(10)
    assert.equal(stage.clock.nextAlarmMs, undefined)
    await stage.send('b')
    assert.deepEqual(stage.names, ['b'])
  })
})

test('at most 4,096 sends wait', async () => {
  const stage = new Stage()
  await stage.send('a', ['f'], 32 + 4_096)
  assert.deepEqual([stage.rejected.length, stage.admission.queued], [0, 4_096])
  await stage.send('b')
  assert.deepEqual([stage.rejected, stage.counted], [['b'], ['queue']])
})

test('a server that stops rejects the sends that wait, and those that come', async () => {
  const stage = new Stage()
  await stage.send('a', ['f'], 33)
  stage.admission.close()
  assert.deepEqual(stage.rejected, [])
  await turn()
  assert.deepEqual(stage.rejected, ['a'])
  await stage.send('b')
  assert.deepEqual(stage.rejected, ['a', 'b'])
  assert.equal(stage.begun.length, 32)
  await stage.end(32)
  assert.equal(stage.clock.nextAlarmMs, undefined)
})
