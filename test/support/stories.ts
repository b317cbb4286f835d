import fc from 'fast-check'
import {
  type FlowEvent,
  openStep,
  type ProcessorPolicy,
  type Run,
  type Step,
  type Transition,
  transition,
} from '../../src/flow/transition.ts'
import type { MessageText } from '../../src/store/tables.ts'
import { twoDaysMs } from './rows.ts'

/*
 * A story is a run from its first step, in a world where anything may happen at any time: outcomes of attempts that no
 * node owns, verdicts on steps that have ended, time that stands still or leaps. Only Due keeps its promise: it comes
 * when its time has come, or for a step whose owner is gone.
 */

type Fallback = 'CONTINUE' | 'ABORT'

/** The next event: time passes, or something happens to one of the run's steps. */
export type Happening =
  | { passMs: number | 'until due' | 'until the deadline' }
  | { event: FlowEvent; about: 'the open step' | number }

export interface Story {
  fallbacks: Fallback[]
  /** Of each processor that has one. */
  policies?: (ProcessorPolicy | undefined)[]
  deadlineMs: number
  happenings: Happening[]
  random: number
}

/** One event of a story: the run before it, its time, and the result of `transition`. */
export interface Moment {
  before: Run
  event: FlowEvent
  now: number
  result: Transition
}

function newRun({ fallbacks, policies = [], deadlineMs }: Omit<Story, 'happenings'>): Run {
  const processors = fallbacks.map((fallbackAction, index) => {
    const name = `processor-${index}`
    return {
      name,
      functionArn: `arn:aws:lambda:us-east-1:111122223333:function:${name}`,
      fallbackAction,
      policy: policies[index],
      hasChanged: false,
    }
  })
  const step = openStep({ deadlineMs: policies[0]?.deadlineMs ?? deadlineMs }, 0, worldAt(0, 0))
  return { processors, deadlineMs, state: 'RUNNING', text: {}, step }
}

const worldAt = (now: number, random: number) => ({ now, newId: () => `callback-at-${now}`, random: () => random })

/** The state of a story: the run, at its open or last step, and the steps before it. */
export class Play {
  readonly moments: Moment[] = []
  run: Run
  /** Milliseconds since the run began. */
  now = 0
  #random: number
  #earlier: Step[] = []

  constructor(story: Omit<Story, 'happenings'>) {
    this.run = newRun(story)
    this.#random = story.random
  }

  /** Every step that the run ever had, as it is now. */
  get steps(): Step[] {
    return [...this.#earlier, this.run.step]
  }

  happens(happening: Happening): void {
    if ('passMs' in happening) this.pass(happening.passMs)
    else this.#say(happening.event, happening.about)
  }

  pass(passMs: number | 'until due' | 'until the deadline'): void {
    const { dueAt, deadlineAt } = this.run.step
    if (typeof passMs === 'number') this.now += passMs
    else this.now = Math.max(this.now, passMs === 'until due' ? dueAt : deadlineAt)
  }

  tell(event: FlowEvent): Transition {
    const result = this.#tell(this.run, event)
    if ('rejection' in result) return result
    const decided = result.effects.find(({ effect }) => effect === 'DecideStep')
    if (decided && 'step' in decided && decided.step !== result.run.step) this.#earlier.push(decided.step)
    this.run = result.run
    return result
  }

  #say(event: FlowEvent, about: 'the open step' | number): void {
    const earlier = typeof about === 'number' ? this.#earlier[about] : undefined
    if (event.type === 'Due' && !this.#mayBeDue(earlier ?? this.run.step)) return
    if (earlier) this.#tell({ ...this.run, step: earlier }, event)
    else this.tell(event)
  }

  #tell(before: Run, event: FlowEvent): Transition {
    const result = transition(deeplyFrozen(before), event, worldAt(this.now, this.#random))
    this.moments.push({ before, event, now: this.now, result })
    return result
  }

  #mayBeDue({ isOwned, dueAt }: Step): boolean {
    return isOwned || this.now >= dueAt
  }
}

export function play(story: Story): Play {
  const stage = new Play(story)
  for (const happening of story.happenings) stage.happens(happening)
  return stage
}

const texts: fc.Arbitrary<Partial<MessageText>> = fc.record(
  {
    content: fc.constantFrom('"a"', '"b"', '"c"'),
    metadata: fc.constantFrom(null, '"d"'),
    content_type: fc.constantFrom('"text/plain"', null),
    message_attributes_json: fc.constantFrom('{}', null),
  },
  { requiredKeys: [] },
)

const events: fc.Arbitrary<FlowEvent> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ type: fc.constant('Verdict'), deny: fc.constant(false), text: texts }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant('Verdict'), deny: fc.constant(true), text: texts }) },
  { weight: 4, arbitrary: fc.constantFrom({ type: 'HandedOff' }, { type: 'Completed' }) },
  {
    weight: 3,
    arbitrary: fc.record({ type: fc.constant('Unreached'), reason: fc.constant('rejected'), permanent: fc.boolean() }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ type: fc.constant('Crashed'), reason: fc.constant('it threw'), retrySoon: fc.boolean() }),
  },
  { weight: 6, arbitrary: fc.constant({ type: 'Due' }) },
  { weight: 1, arbitrary: fc.constant({ type: 'Again', keyId: 'key' }) },
) as fc.Arbitrary<FlowEvent>

const happenings: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      passMs: fc.oneof(fc.nat(10_000), fc.nat(200_000), fc.constant('until due' as const), {
        weight: 1,
        arbitrary: fc.constant('until the deadline' as const),
      }),
    }),
  },
  { weight: 8, arbitrary: fc.record({ event: events, about: fc.constant('the open step' as const) }) },
  { weight: 1, arbitrary: fc.record({ event: events, about: fc.nat(2) }) },
)

export const stories: fc.Arbitrary<Story> = fc.record({
  fallbacks: fc.array(fc.constantFrom('CONTINUE', 'ABORT'), { minLength: 1, maxLength: 3 }),
  deadlineMs: fc.constantFrom(1, 500, 5_000, 100_000, twoDaysMs),
  happenings: fc.array(happenings, { maxLength: 40 }),
  random: fc.double({ min: 0, max: 0.999_999, noNaN: true }),
})

function deeplyFrozen<T extends object>(value: T): T {
  for (const member of Object.values(value)) {
    if (member !== null && typeof member === 'object') deeplyFrozen(member)
  }
  return Object.freeze(value)
}
