import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Gauge, Registry } from 'prom-client'
import { HistoryModel } from './history-model.ts'
import { excerpt, type FaultOutcome, summary, verdict } from './summary.ts'
import { oldestPending } from './watch-metrics.ts'

/** A run in which all went well: a message, and everybody there from the start to the end. */
function wellDone(): FaultOutcome {
  const model = new HistoryModel()
  model.act({ do: 'connect', user: 0, early: false })
  model.act({ do: 'send', ending: 'changed', sender: 0, channel: 0, acknowledged: true })
  model.act({ do: 'decide', which: 0 })
  for (const way of ['list', 'get', 'prefetch'] as const) model.act({ do: 'look', way, user: 1, channel: 0 })
  const kill = { pid: 1, at: 2_000 }
  return {
    nodes: 3,
    plan: [],
    kills: [kill],
    restartedAt: undefined,
    history: model.end(),
    violations: [],
    turns: [
      { phase: 'begin', callbackId: 'a', pid: 1, at: 1_900 },
      { phase: 'begin', callbackId: 'a', pid: 2, at: 6_900 },
    ],
    refusals: [],
    acts: new Map([['joins', 3]]),
    oldestPending: new Map([['silent', 14]]),
  }
}

test('a run in which all went well is no failure', () => {
  assert.deepEqual(verdict(wellDone()), [])
  assert.match(summary(wellDone()), /^sends: 1, of which 1 acknowledged.*\n.*SENT 1.*\n.*1 kills.*\n/)
  assert.match(summary(wellDone()), /taken over from killed nodes: 1 steps, after 4900 ms/)
})

const spoilt: [expected: RegExp, spoil: (outcome: FaultOutcome) => void][] = [
  [/^text: a text/, ({ violations }) => violations.push({ rule: 'text', says: 'a text' })],
  [/^an answer$/, ({ refusals }) => refusals.push('an answer')],
  [/was taken over after 15001 ms/, ({ turns }) => Object.assign(turns[1]!, { at: 17_001 })],
  [/was taken over after undefined ms/, ({ turns }) => turns.pop()],
  [/no killed node had anything in hand/, ({ turns }) => turns.splice(0)],
  [/^there were no joins$/, ({ acts }) => acts.set('joins', 0)],
  [/nothing was killed/, ({ kills }) => kills.pop()],
  [/nothing was acknowledged/, ({ history }) => history.sends[0]?.messageIds.pop()],
  [/nobody saw a message by get/, ({ history }) => history.looks.splice(1, 1)],
  [/no session stayed open/, ({ history }) => Object.assign(history.periods[0]!, { closedAt: 5_000 })],
  [/never showed that silent has had .* at most 4 s/, ({ oldestPending }) => oldestPending.set('silent', 4)],
]

for (const [expected, spoil] of spoilt) {
  test(`a run is a failure that says ${expected.source}`, () => {
    const outcome = wellDone()
    spoil(outcome)
    const failures = verdict(outcome)
    assert.equal(failures.length, 1, failures.join('\n'))
    assert.match(failures[0]!, expected)
  })
}

test('of each rule some failures are shown, with short names', () => {
  const many = Array.from({ length: 7 }, (_, n) => `text: arn:aws:chime:us-east-1:1:app-instance/a/user/ann saw ${n}`)
  const lines = excerpt([...many, 'nothing was killed'])
    .trimEnd()
    .split('\n')
  assert.equal(lines.length, 7)
  assert.equal(lines[4], 'FAILED: text: user/ann saw 4')
  assert.equal(lines[5], 'FAILED: … and 2 more like these')
  assert.equal(lines[6], 'FAILED: nothing was killed')
})

test('the age of what is pending is read as Prometheus reads it', async () => {
  const registry = new Registry()
  const name = 'carillon_oldest_pending_seconds'
  const gauge = new Gauge({ name, help: 'age', labelNames: ['processor'], registers: [registry] })
  gauge.set({ processor: 'silent' }, 12.5)
  gauge.set({ processor: 'judge' }, 0)
  assert.deepEqual(
    [...oldestPending(await registry.metrics())],
    [
      ['silent', 12.5],
      ['judge', 0],
    ],
  )
})
