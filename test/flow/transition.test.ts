import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type FlowEvent, isOpen, type Step, type Transition } from '../../src/flow/transition.ts'
import type { MessageText } from '../../src/store/tables.ts'
import { twoDaysMs } from '../support/rows.ts'
import { type Happening, type Moment, type Play, play, type Story, stories } from '../support/stories.ts'

const about = 'the open step'
const seconds = (count: number): Happening => ({ passMs: count * 1_000 })
const hours = (count: number): Happening => ({ passMs: count * 3_600_000 })
const tell = (event: FlowEvent): Happening => ({ event, about })
const allow = (text: Partial<MessageText> = {}) => tell({ type: 'Verdict', deny: false, text })
const deny = tell({ type: 'Verdict', deny: true, text: { content: '"dropped"' } })
const handedOff = tell({ type: 'HandedOff' })
const completed = tell({ type: 'Completed' })
const due = tell({ type: 'Due' })
const stopped = tell({ type: 'Stopped', reason: 'the sender was banned' })
const again = tell({ type: 'Again', keyId: 'key' })
const crashed = tell({ type: 'Crashed', reason: 'it threw' })
const cut = tell({ type: 'Crashed', reason: 'the connection was cut', retrySoon: true })
const busy = tell({ type: 'Unreached', reason: 'too many requests', permanent: false })
const absent = tell({ type: 'Unreached', reason: 'no such function', permanent: true })
/** An attempt that fails at once, and the wait for the next. */
const crashesAndWaits = (count: number) => [handedOff, crashed, seconds(count), due]

type Example = [sentence: string, fallbacks: Story['fallbacks'], happenings: Happening[], outcome: string]

const verdicts: Example[] = [
  ['a message that its processor allows is sent', ['ABORT'], [handedOff, allow()], 'SENT: ALLOWED'],
  ['a message that its processor denies is denied', ['ABORT'], [handedOff, deny], 'DENIED: DENIED'],
  ['a verdict counts before the hand-off is known', ['ABORT'], [allow()], 'SENT: ALLOWED'],
  [
    'a verdict counts after the attempt has ended',
    ['ABORT'],
    [handedOff, completed, hours(47), allow()],
    'SENT: ALLOWED',
  ],
  ['a verdict counts between two attempts', ['ABORT'], [handedOff, crashed, seconds(30), allow()], 'SENT: ALLOWED'],
  ['a verdict counts between two tries', ['ABORT'], [busy, allow()], 'SENT: ALLOWED'],
  [
    'the return value of a processor is not a verdict',
    ['ABORT'],
    [handedOff, completed],
    'RUNNING: AWAITING, due in 172800 s',
  ],
  ['the first of two verdicts counts', ['ABORT'], [deny, allow()], 'DENIED: DENIED'],
  [
    'a message that one processor allows goes to the next',
    ['ABORT', 'ABORT'],
    [allow()],
    'RUNNING: ALLOWED, DISPATCHING owned',
  ],
  [
    'a message that all processors allow is sent',
    ['ABORT', 'ABORT', 'ABORT'],
    [allow(), allow(), allow()],
    'SENT: ALLOWED, ALLOWED, ALLOWED',
  ],
  [
    'a message that one processor denies is not handed to the next processor',
    ['ABORT', 'ABORT'],
    [allow(), deny],
    'DENIED: ALLOWED, DENIED',
  ],
]

const reach: Example[] = [
  ['an unreachable processor with ABORT fails the message', ['ABORT'], [absent], 'FAILED: UNREACHABLE'],
  ['an unreachable processor with CONTINUE is skipped', ['CONTINUE'], [absent], 'SENT: UNREACHABLE'],
  [
    'after a processor that CONTINUE skips, the next one is invoked',
    ['CONTINUE', 'ABORT'],
    [absent, deny],
    'DENIED: UNREACHABLE, DENIED',
  ],
  ['a busy processor is retried after about a second', ['ABORT'], [busy], 'RUNNING: DISPATCHING, due in 0.75 s'],
  [
    'a processor that is still busy is retried after about four seconds',
    ['ABORT'],
    [busy, seconds(1), due, busy],
    'RUNNING: DISPATCHING, due in 3 s',
  ],
  [
    'a processor that is busy three times is given up',
    ['ABORT'],
    [busy, seconds(1), due, busy, seconds(4), due, busy],
    'FAILED: UNREACHABLE',
  ],
  [
    'a processor that is reached at the second try decides',
    ['ABORT'],
    [busy, seconds(1), due, handedOff, allow()],
    'SENT: ALLOWED',
  ],
  [
    'the count of tries starts again after a hand-off',
    ['ABORT'],
    [busy, seconds(1), due, busy, seconds(4), due, handedOff, crashed, seconds(60), due, busy],
    'RUNNING: DISPATCHING, due in 0.75 s',
  ],
]

const attempts: Example[] = [
  [
    'an attempt that crashed is retried after one minute',
    ['ABORT'],
    [handedOff, crashed],
    'RUNNING: DISPATCHING, due in 60 s',
  ],
  [
    'a second crash is retried after two minutes',
    ['ABORT'],
    [...crashesAndWaits(60), handedOff, crashed],
    'RUNNING: DISPATCHING, due in 120 s',
  ],
  ['an attempt whose connection broke is retried after 5 s', ['ABORT'], [cut], 'RUNNING: DISPATCHING, due in 5 s'],
  [
    'a second broken connection does not shorten the pause: the third attempt is two minutes later',
    ['ABORT'],
    [cut, seconds(5), due, cut],
    'RUNNING: DISPATCHING, due in 120 s',
  ],
  [
    'a connection that breaks after a crash is not a first failure',
    ['ABORT'],
    [...crashesAndWaits(60), cut],
    'RUNNING: DISPATCHING, due in 120 s',
  ],
  [
    'three broken connections count as three attempts, like three crashes',
    ['CONTINUE'],
    [cut, seconds(5), due, cut, seconds(120), due, cut],
    'RUNNING: AWAITING, due in 172675 s',
  ],
  [
    'after a third crash only the deadline ends the step, with either FallbackAction',
    ['CONTINUE'],
    [...crashesAndWaits(60), ...crashesAndWaits(120), handedOff, crashed],
    'RUNNING: AWAITING, due in 172620 s',
  ],
  [
    'the step waits for a processor that crashed and then became unreachable: it has the event',
    ['CONTINUE'],
    [...crashesAndWaits(60), absent],
    'RUNNING: AWAITING, due in 172740 s',
  ],
  [
    'a crash means that the processor has the event, even without a recorded hand-off',
    ['CONTINUE'],
    [crashed, seconds(60), due, absent],
    'RUNNING: AWAITING, due in 172740 s',
  ],
  ['a step whose owner is dead is taken again', ['ABORT'], [handedOff, seconds(30), due], 'RUNNING: AWAITING owned'],
  [
    'the outcome of an attempt whose step is not owned is ignored',
    ['ABORT'],
    [handedOff, crashed, crashed],
    'RUNNING: DISPATCHING, due in 60 s',
  ],
]

const deadlines: Example[] = [
  [
    'a message without a verdict fails after 48 hours',
    ['CONTINUE'],
    [handedOff, completed, hours(48), due],
    'FAILED: EXPIRED',
  ],
  ['a verdict just in time counts', ['ABORT'], [handedOff, { passMs: twoDaysMs - 1 }, allow()], 'SENT: ALLOWED'],
  ['a verdict at the deadline does not count', ['ABORT'], [handedOff, hours(48), allow()], 'RUNNING: AWAITING owned'],
  ['the deadline starts again at the hand-off', ['ABORT'], [hours(40), handedOff, hours(47), allow()], 'SENT: ALLOWED'],
  [
    'only the first hand-off starts the deadline again',
    ['ABORT'],
    [handedOff, crashed, seconds(60), due, handedOff, completed],
    'RUNNING: AWAITING, due in 172740 s',
  ],
  ['a processor that is never reached has 48 hours, too', ['ABORT'], [hours(48), handedOff], 'FAILED: EXPIRED'],
  [
    'an attempt that completed was handed over, even without a recorded hand-off',
    ['ABORT'],
    [hours(40), completed],
    'RUNNING: AWAITING, due in 172800 s',
  ],
  [
    'every processor has a deadline of its own',
    ['ABORT', 'ABORT'],
    [handedOff, hours(47), allow(), hours(47), allow()],
    'SENT: ALLOWED, ALLOWED',
  ],
]

const orders: Example[] = [
  [
    'an order begins all attempts anew',
    ['ABORT'],
    [
      ...crashesAndWaits(60),
      ...crashesAndWaits(120),
      handedOff,
      crashed,
      again,
      ...crashesAndWaits(60),
      handedOff,
      crashed,
    ],
    'RUNNING: DISPATCHING, due in 120 s',
  ],
  [
    'a step that no node owns is owned after an order',
    ['ABORT'],
    [handedOff, completed, again],
    'RUNNING: DISPATCHING owned',
  ],
  [
    'a retry that is due later is owned after an order',
    ['ABORT'],
    [handedOff, crashed, again],
    'RUNNING: DISPATCHING owned',
  ],
  ['a verdict counts after an order', ['ABORT'], [handedOff, again, allow()], 'SENT: ALLOWED'],
  [
    'an order does not move the deadline',
    ['ABORT'],
    [handedOff, hours(47), again, handedOff, hours(1), due],
    'FAILED: EXPIRED',
  ],
  ['there is no order after the deadline', ['ABORT'], [handedOff, hours(48), again, due], 'FAILED: EXPIRED'],
  ['a run that has ended takes no order', ['ABORT'], [deny, again], 'DENIED: DENIED'],
]

const stops: Example[] = [
  ['a run that is stopped fails in every state of its step', ['CONTINUE'], [stopped], 'FAILED: EXPIRED'],
  ['a step that a processor has is stopped', ['CONTINUE'], [handedOff, stopped, allow()], 'FAILED: EXPIRED'],
  ['a step that no node owns is stopped', ['CONTINUE'], [crashed, stopped, due, absent], 'FAILED: EXPIRED'],
  ['a later step is stopped', ['ABORT', 'ABORT'], [allow(), stopped, allow()], 'FAILED: ALLOWED, EXPIRED'],
  ['a run that has ended is not stopped', ['ABORT'], [allow(), stopped], 'SENT: ALLOWED'],
]

for (const [sentence, fallbacks, happenings, outcome] of [
  ...orders,
  ...stops,
  ...verdicts,
  ...reach,
  ...attempts,
  ...deadlines,
]) {
  test(sentence, () => {
    const told = play({ fallbacks, deadlineMs: twoDaysMs, happenings, random: 0.5 })
    assert.equal(outcomeOf(told), outcome)
  })
}

/** The run and its steps in a line. */
function outcomeOf({ run, steps, now }: Play): string {
  const { isOwned, dueAt } = run.step
  const waits = isOwned ? ' owned' : `, due in ${(dueAt - now) / 1_000} s`
  return `${run.state}: ${steps.map(({ state }) => state).join(', ')}${isOpen(run.step) ? waits : ''}`
}

test('a failed message says why', () => {
  const { moments } = play({ fallbacks: ['ABORT'], deadlineMs: 1, happenings: [absent], random: 0 })
  assert.deepEqual(effectsOf(moments).at(-1), {
    effect: 'EndMessage',
    status: 'FAILED',
    detail: 'Processor invocation failed: processor-0',
  })
  const late = play({ fallbacks: ['ABORT'], deadlineMs: 1, happenings: [seconds(1), due], random: 0 })
  assert.deepEqual(effectsOf(late.moments).at(-1), {
    effect: 'EndMessage',
    status: 'FAILED',
    detail: 'Processor did not answer in time: processor-0',
  })
})

/** An invariant of every story, with any events in any order. */
function always(sentence: string, holds: (told: Play, story: Story) => void): void {
  test(sentence, () =>
    fc.assert(
      fc.property(stories, (story) => holds(play(story), story)),
      { numRuns: 500 },
    ),
  )
}

test('the stories below reach every state, every effect and every rejection', () => {
  const told = fc.sample(stories, { seed: 1, numRuns: 500 }).map(play)
  const moments = told.flatMap((one) => one.moments)
  const seen = new Set([
    ...told.flatMap(({ run, steps }) => [run.state, ...steps.map(({ state }) => state)]),
    ...effectsOf(moments).map(({ effect }) => effect),
    ...moments.map(({ result }) => ('rejection' in result ? result.rejection : 'taken')),
  ])
  const states = ['DISPATCHING', 'AWAITING', 'ALLOWED', 'DENIED', 'UNREACHABLE', 'EXPIRED', 'RUNNING', 'SENT', 'FAILED']
  const effects = ['RecordStep', 'DecideStep', 'OpenStep', 'InvokeProcessor', 'EndMessage']
  const rejections = ['NotPending', 'Forbidden', 'Ignored', 'taken']
  assert.deepEqual([...seen].sort(), [...states, ...effects, ...rejections].sort())
})

always('a step that is over never changes again', ({ moments }) => {
  for (const { before, result } of moments) assert.ok(isOpen(before.step) || 'rejection' in result)
  const decided = moments.flatMap(decidedIn).map(({ position }) => position)
  assert.deepEqual(
    decided,
    decided.map((_, index) => index),
    'each is decided once, one after the other',
  )
})

always('a run ends at most once', ({ moments, run }) => {
  const endings = effectsOf(moments).filter(({ effect }) => effect === 'EndMessage')
  assert.deepEqual(
    endings.map((ending) => 'status' in ending && ending.status),
    run.state === 'RUNNING' ? [] : [run.state],
  )
})

always('a message is SENT only if each processor allowed it, or was unreachable with CONTINUE', ({ run, steps }) => {
  if (run.state !== 'SENT') return
  assert.equal(steps.length, run.processors.length)
  for (const { state, position } of steps) {
    const continues = state === 'UNREACHABLE' && run.processors[position]?.fallbackAction === 'CONTINUE'
    assert.ok(state === 'ALLOWED' || continues)
  }
})

always(
  'a message is DENIED by a deny alone, FAILED by an unreachable ABORT or a deadline alone',
  ({ run, steps, moments }) => {
    const last = steps.at(-1)
    assert.equal(run.state === 'DENIED', last?.state === 'DENIED')
    if (run.state !== 'FAILED') return
    const aborted = last?.state === 'UNREACHABLE' && run.processors[last.position]?.fallbackAction === 'ABORT'
    assert.ok(aborted || last?.state === 'EXPIRED')
    assert.ok(last && (aborted || (last.decidedAt ?? 0) >= last.deadlineAt))
    assert.ok(moments.length > 0)
  },
)

always('nothing but a verdict allows or denies, and a verdict does nothing else', ({ moments }) => {
  for (const moment of moments) {
    const verdict = moment.event.type === 'Verdict' ? [moment.event.deny ? 'DENIED' : 'ALLOWED'] : []
    const states = decidedIn(moment).map(({ state }) => state)
    const byVerdict = states.filter((state) => state === 'ALLOWED' || state === 'DENIED')
    assert.deepEqual(byVerdict, 'rejection' in moment.result ? [] : verdict)
  }
})

always(
  'a verdict is taken while its step is open and its deadline ahead, and rejected by its reason',
  ({ moments }) => {
    for (const { before, event, now, result } of moments) {
      if (event.type !== 'Verdict') continue
      const wentOn = before.state === 'RUNNING' || before.state === 'SENT'
      const late = now >= before.step.deadlineAt
      const expected = isOpen(before.step) ? late && 'Forbidden' : wentOn ? 'NotPending' : 'Forbidden'
      assert.equal('rejection' in result && result.rejection, expected)
    }
  },
)

always('three tries and three attempts are the most', ({ moments }) => {
  for (const step of moments.flatMap(stepsIn)) assert.ok(step.tries <= 3 && step.attempts <= 3)
})

always('after a crash come pauses of 60 (or 5) and 120 s, then the wait for the deadline', ({ moments }) => {
  for (const { event, now, result } of moments) {
    if (event.type !== 'Crashed' || !('run' in result) || !isOpen(result.run.step)) continue
    const { attempts, state, isOwned, dueAt, deadlineAt } = result.run.step
    const firstPauseMs = event.retrySoon ? 5_000 : 60_000
    const pauseMs = [firstPauseMs, 120_000][attempts - 1] ?? Number.POSITIVE_INFINITY
    assert.equal(isOwned, false)
    assert.equal(dueAt, Math.min(now + pauseMs, deadlineAt))
    assert.equal(state, attempts < 3 ? 'DISPATCHING' : 'AWAITING')
  }
})

always('the pauses between the tries of one hand-off are ten seconds at most in all', ({ moments }) => {
  let pausesMs = 0
  for (const moment of moments) {
    for (const effect of effectsOf([moment])) {
      if (effect.effect !== 'RecordStep' || moment.event.type !== 'Unreached') continue
      const { tries, state, dueAt } = effect.step
      if (state === 'DISPATCHING') pausesMs = (tries === 1 ? 0 : pausesMs) + dueAt - moment.now
      assert.ok(pausesMs <= 10_000)
    }
  }
})

always(
  'a deadline counts from the opening of the step, and anew from its first hand-off only',
  ({ moments }, { deadlineMs }) => {
    const openedAt = new Map([[0, 0]])
    const handedOffAt = new Map<number, number>()
    for (const moment of moments) {
      for (const opened of effectsOf([moment])) {
        if (opened.effect === 'OpenStep') openedAt.set(opened.step.position, moment.now)
      }
      for (const step of stepsIn(moment)) {
        const { position, deadlineAt } = step
        if (step.handedOffAt !== undefined && !handedOffAt.has(position)) handedOffAt.set(position, step.handedOffAt)
        assert.equal(step.handedOffAt, handedOffAt.get(position))
        assert.equal(deadlineAt, (step.handedOffAt ?? openedAt.get(position) ?? Number.NaN) + deadlineMs)
      }
    }
  },
)

always('an open step without an owner is due by its deadline: no step waits for ever', ({ moments, steps }) => {
  for (const step of [...steps, ...moments.flatMap(stepsIn)]) assert.ok(step.isOwned || step.dueAt <= step.deadlineAt)
})

always('the text is what the allowing verdicts made of it, one over the other', ({ moments, run }) => {
  const allowed = moments.filter(({ event, result }) => event.type === 'Verdict' && !event.deny && 'run' in result)
  const overlay = Object.assign({}, ...allowed.map(({ event }) => 'text' in event && event.text))
  assert.deepEqual(run.text, overlay)
})

always('the run that is given stays as it is', ({ moments }) => {
  // Each was frozen before it was given, so that a change would have thrown.
  for (const { before } of moments) assert.ok(Object.isFrozen(before) && Object.isFrozen(before.step))
})

always('from wherever a run is, time alone ends it', (told) => {
  for (let dues = 0; told.run.state === 'RUNNING'; dues += 1) {
    assert.ok(dues < 3)
    told.pass(told.run.step.isOwned ? 'until the deadline' : 'until due')
    told.tell({ type: 'Due' })
  }
})

function effectsOf(moments: Moment[]) {
  return moments.flatMap(({ result }) => ('effects' in result ? result.effects : []))
}

function decidedIn(moment: Moment): Step[] {
  return effectsOf([moment]).flatMap((effect) => (effect.effect === 'DecideStep' ? [effect.step] : []))
}

/** The steps as the moment left them. */
function stepsIn({ result }: { result: Transition }): Step[] {
  if ('rejection' in result) return []
  return [result.run.step, ...result.effects.flatMap((effect) => ('step' in effect ? [effect.step] : []))]
}
