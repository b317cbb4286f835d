import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Timeline, TimelineRun, TimelineStep } from '../../console/server/messages.ts'
import { drawingOf, isOpen, statusOf, verdictOf } from '../../console/timeline/lanes.ts'

const step = (changes: Partial<TimelineStep> = {}): TimelineStep => ({
  Processor: 'moderate',
  FunctionName: 'moderate',
  State: 'ALLOWED',
  OpenedAt: 100,
  Attempts: [],
  Changes: [],
  RejectedCallbacks: 0,
  Extensions: [],
  ...changes,
})

const run = (changes: Partial<TimelineRun> = {}): TimelineRun => ({
  Revision: 1,
  ChannelFlowArn: 'arn',
  State: 'SENT',
  AcceptedAt: 100,
  EndedAt: 104,
  Steps: [step({ HandedOffAt: 101, DecidedAt: 104 })],
  ...changes,
})

test('a lane has the wait for its processor, and the work from the hand-over on', () => {
  const { from, to, lanes } = drawingOf(run(), 0)
  assert.deepEqual([from, to], [100, 104])
  const spans = lanes[1]!.spans.map(({ from, to, tone }) => [tone, from, to])
  assert.deepEqual(spans, [
    ['wait', 100, 101],
    ['work', 101, 104],
  ])
  assert.equal(lanes[0]!.end, 'Published')
})

test('a verdict that came before the hand-over was written has work only', () => {
  const { lanes } = drawingOf(run({ Steps: [step({ DecidedAt: 104 })] }), 0)
  assert.deepEqual(
    lanes[1]!.spans.map(({ tone }) => tone),
    ['work'],
  )
})

test('an open run grows until now, and its lane says what it waits for', () => {
  const Waits = { For: 'callback', Until: 900, Deadline: 900 } as const
  const { EndedAt, ...open } = run({ State: 'RUNNING', Steps: [step({ State: 'AWAITING', HandedOffAt: 102, Waits })] })
  assert.equal(EndedAt, 104)
  const { to, lanes } = drawingOf(open, 250)
  assert.equal(to, 250)
  assert.equal(lanes[1]!.spans.at(-1)?.to, 250)
  assert.deepEqual([lanes[0]!.end, lanes[1]!.end], ['Held', 'Waits for the callback'])
})

test('a run that took no time is still drawn with a width', () => {
  const { from, to } = drawingOf(run({ EndedAt: 100, Steps: [] }), 0)
  assert.ok(to > from)
})

test('a verdict is said with its reason, and who gave it', () => {
  const Reason = { Code: 'PROFANITY', Text: 'Please keep it friendly' }
  assert.equal(verdictOf(step({ State: 'DENIED', Reason })), 'Denied: PROFANITY, Please keep it friendly')
  assert.equal(verdictOf(step({ DecidedBy: 'operator' })), 'Allowed by a person')
  const Changes = [{ Member: 'Content', Before: 22, After: 9 }]
  assert.equal(verdictOf(step({ Changes })), 'Allowed with changes')
})

test('a denied message has no status of its own: its run has', () => {
  const timeline = (changes: Partial<TimelineRun>): Timeline => ({
    MessageId: 'm',
    ChannelArn: 'c',
    Runs: [run(changes)],
  })
  assert.equal(statusOf(timeline({ State: 'DENIED' })), 'DENIED')
  assert.equal(statusOf({ ...timeline({}), Status: 'SENT' }), 'SENT')
  assert.equal(isOpen(timeline({})), false)
})
