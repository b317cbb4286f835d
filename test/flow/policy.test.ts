import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import fc from 'fast-check'
import { type FlowEvent, isOpen, type ProcessorPolicy } from '../../src/flow/transition.ts'
import { type Happening, play, stories } from '../support/stories.ts'

/* What an operator sets for a processor: its deadline, what follows on it, and how often and when it is invoked again. */

const seconds = (count: number): Happening => ({ passMs: count * 1_000 })
const tell = (event: FlowEvent): Happening => ({ event, about: 'the open step' })
const allow = tell({ type: 'Verdict', deny: false, text: {} })
const deny = tell({ type: 'Verdict', deny: true, text: {} })
const handedOff = tell({ type: 'HandedOff' })
const due = tell({ type: 'Due' })
const stopped = tell({ type: 'Stopped', reason: 'the sender was banned' })
const crashed = tell({ type: 'Crashed', reason: 'it threw' })
const cut = tell({ type: 'Crashed', reason: 'the connection was cut', retrySoon: true })
const absent = tell({ type: 'Unreached', reason: 'no such function', permanent: true })
const crashesAndWaits = (count: number) => [crashed, seconds(count), due]

type Example = [sentence: string, policies: (ProcessorPolicy | undefined)[], happenings: Happening[], outcome: string]

const goesOn = { onDeadline: 'continue' } as const
const examples: Example[] = [
  ['a processor has its own deadline', [{ deadlineMs: 5_000 }], [seconds(5), due], 'FAILED: EXPIRED'],
  [
    'its own deadline begins again at the hand-off',
    [{ deadlineMs: 5_000 }],
    [seconds(4), handedOff, seconds(4), allow],
    'SENT: ALLOWED',
  ],
  [
    'another processor has the deadline of the flow',
    [{ deadlineMs: 5_000 }, undefined],
    [allow, seconds(99), allow],
    'SENT: ALLOWED, ALLOWED',
  ],
  [
    'a later processor has its own deadline',
    [undefined, { deadlineMs: 5_000 }],
    [seconds(99), allow, seconds(5), due],
    'FAILED: ALLOWED, EXPIRED',
  ],
  ['with `continue` the deadline lets the message pass', [goesOn], [seconds(100), due], 'SENT: EXPIRED by on-deadline'],
  [
    'with `continue` the next processor gets the message, and may deny it',
    [goesOn, undefined],
    [seconds(100), due, deny],
    'DENIED: EXPIRED by on-deadline, DENIED',
  ],
  [
    'with `continue` a late verdict does not count',
    [goesOn],
    [seconds(100), deny, due],
    'SENT: EXPIRED by on-deadline',
  ],
  ['with `continue` a message that is stopped fails', [goesOn], [seconds(100), stopped], 'FAILED: EXPIRED'],
  ['with `continue` an unreachable processor with ABORT fails the message', [goesOn], [absent], 'FAILED: UNREACHABLE'],
  ['`fail` is the default', [{ onDeadline: 'fail' }], [seconds(100), due], 'FAILED: EXPIRED'],
  ['with one attempt a crash is not retried', [{ attempts: 1 }], [crashed], 'RUNNING: AWAITING, due in 100 s'],
  ['not even one whose connection broke', [{ attempts: 1 }], [cut], 'RUNNING: AWAITING, due in 100 s'],
  [
    'with two attempts the second crash is the last',
    [{ attempts: 2, retryMs: 1_000 }],
    [...crashesAndWaits(1), crashed],
    'RUNNING: AWAITING, due in 99 s',
  ],
  [
    'the first retry comes after the pause that is set',
    [{ retryMs: 500 }],
    [crashed],
    'RUNNING: DISPATCHING, due in 0.5 s',
  ],
  [
    'each further pause is twice as long',
    [{ retryMs: 1_000, attempts: 8 }],
    [...crashesAndWaits(1), ...crashesAndWaits(2), ...crashesAndWaits(4), crashed],
    'RUNNING: DISPATCHING, due in 8 s',
  ],
  [
    'but at most an hour',
    [{ deadlineMs: 86_400_000, retryMs: 1_800_000, attempts: 8 }],
    [...crashesAndWaits(1_800), ...crashesAndWaits(3_600), crashed],
    'RUNNING: DISPATCHING, due in 3600 s',
  ],
  [
    'a short pause counts for a broken connection, too',
    [{ retryMs: 1_000 }],
    [cut],
    'RUNNING: DISPATCHING, due in 1 s',
  ],
  ['a long one does not', [{ retryMs: 30_000 }], [cut], 'RUNNING: DISPATCHING, due in 5 s'],
  ['no retry comes after the deadline', [{ retryMs: 3_600_000 }], [crashed], 'RUNNING: DISPATCHING, due in 100 s'],
]

suite('by the policy of its processors:', () => {
  for (const [sentence, policies, happenings, outcome] of examples) {
    test(sentence, () => {
      const fallbacks = policies.map(() => 'ABORT' as const)
      const { run, steps, now } = play({ fallbacks, policies, deadlineMs: 100_000, happenings, random: 0.5 })
      const { isOwned, dueAt } = run.step
      const waits = isOwned ? ' owned' : `, due in ${(dueAt - now) / 1_000} s`
      const texts = steps.map(({ state, decision }) => (decision ? `${state} by ${decision.by}` : state))
      assert.equal(`${run.state}: ${texts.join(', ')}${isOpen(run.step) ? waits : ''}`, outcome)
    })
  }

  test('in any story, a message is sent only by a verdict, CONTINUE or `continue`, and attempts have their maximum', () => {
    const policy: fc.Arbitrary<ProcessorPolicy> = fc.record(
      {
        deadlineMs: fc.constantFrom(1, 5_000, 100_000),
        onDeadline: fc.constantFrom('fail' as const, 'continue' as const),
        attempts: fc.integer({ min: 1, max: 8 }),
        retryMs: fc.constantFrom(100, 60_000, 3_600_000),
      },
      { requiredKeys: [] },
    )
    const policies = fc.array(fc.option(policy, { nil: undefined }), { minLength: 3, maxLength: 3 })
    let passed = 0
    const holds = fc.property(stories, policies, (story, policies) => {
      const { run, steps } = play({ ...story, policies })
      for (const { position, state, decision, attempts } of steps) {
        const { fallbackAction, policy } = run.processors[position] ?? {}
        assert.ok(attempts <= (policy?.attempts ?? 3))
        assert.equal(decision?.by === 'on-deadline', state === 'EXPIRED' && policy?.onDeadline === 'continue')
        if (decision?.by === 'on-deadline') passed += 1
        if (run.state !== 'SENT') continue
        const continues = state === 'UNREACHABLE' && fallbackAction === 'CONTINUE'
        assert.ok(state === 'ALLOWED' || continues || decision?.by === 'on-deadline')
      }
    })
    fc.assert(holds, { numRuns: 500, seed: 7 })
    assert.ok(passed > 0, 'some story has such a deadline')
  })
})
