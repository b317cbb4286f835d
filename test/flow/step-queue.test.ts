import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { QueuedStep } from '../../src/flow/step-lanes.ts'
import { type QueueLimits, queueLimits, StepQueue } from '../../src/flow/step-queue.ts'

/** A queue with steps that have names, and as many places at each function as the test says. */
class Stage {
  readonly queue: StepQueue<NamedStep>
  readonly inFlight: NamedStep[] = []
  places: Record<string, number>
  #order = 0

  constructor(places: Record<string, number>, limits: Partial<QueueLimits> = {}) {
    this.places = places
    this.queue = new StepQueue({ ...queueLimits, ...limits })
  }

  newStep(channelArn: string, functionName = 'f'): NamedStep {
    this.#order += 1
    return {
      name: `${channelArn}${this.#order}`,
      functionName,
      functionArn: functionName,
      channelArn,
      channelId: 0,
      order: this.#order,
      dueAt: this.#order,
    }
  }

  /** Adds so many steps of a channel. Returns how many were parked. */
  add(channelArn: string, steps = 1, functionName = 'f'): number {
    const taken = Array.from({ length: steps }, () => this.queue.add(this.newStep(channelArn, functionName)))
    return taken.filter((isTaken) => !isTaken).length
  }

  freePlaces = (functionName: string): number =>
    (this.places[functionName] ?? 0) - this.inFlight.filter((step) => step.functionName === functionName).length

  /** Fills all free places. Returns the channels that got them, in order. */
  fill(): string[] {
    const taken: NamedStep[] = []
    for (let step = this.take(); step; step = this.take()) taken.push(step)
    return taken.map(({ channelArn }) => channelArn)
  }

  take(): NamedStep | undefined {
    const step = this.queue.take(this.freePlaces)
    if (step) this.inFlight.push(step)
    return step
  }

  /** A step of the channel ends: the first that was taken. */
  end(channelArn: string): void {
    const step = this.#leave(channelArn)
    this.queue.release(step)
    this.queue.end(step)
  }

  putBack(channelArn: string): NamedStep {
    const step = this.#leave(channelArn)
    this.queue.putBack(step)
    return step
  }

  #leave(channelArn: string): NamedStep {
    const index = this.inFlight.findIndex((step) => step.channelArn === channelArn)
    const [step] = this.inFlight.splice(index, 1)
    assert.ok(index >= 0 && step, `a step of ${channelArn} is in flight`)
    return step
  }
}

type NamedStep = QueuedStep & { name: string }

test('the channel with the fewest steps in flight is next', () => {
  const stage = new Stage({ f: 4 })
  stage.add('a', 10)
  stage.add('b', 10)
  stage.add('c', 10)
  assert.deepEqual(stage.fill(), ['a', 'b', 'c', 'a'])
  stage.end('a')
  stage.end('b')
  assert.deepEqual(stage.fill(), ['b', 'c'], 'then all have one, and c has waited longest')
})

test('channels with equally many steps in flight alternate', () => {
  const stage = new Stage({ f: 1 })
  for (const channel of ['a', 'b', 'c']) stage.add(channel, 2)
  const turns: string[] = []
  for (let count = 0; count < 6; count += 1) {
    turns.push(...stage.fill())
    stage.end(turns.at(-1) as string)
  }
  assert.deepEqual(turns, ['a', 'b', 'c', 'a', 'b', 'c'])
})

test('within a channel the oldest step is next', () => {
  const stage = new Stage({ f: 100 })
  stage.add('a', 5)
  stage.fill()
  assert.deepEqual(
    stage.inFlight.map(({ name }) => name),
    ['a1', 'a2', 'a3', 'a4', 'a5'],
  )
})

test('a channel alone leaves the last place free, and another channel gets it at once', () => {
  const stage = new Stage({ f: 8 })
  stage.add('a', 40)
  assert.deepEqual(stage.fill(), Array(7).fill('a'))
  stage.add('b')
  assert.deepEqual(stage.fill(), ['b'])
})

test('a function with up to three places has none in reserve', () => {
  for (const places of [1, 2, 3]) {
    const stage = new Stage({ f: places })
    stage.add('a', 10)
    assert.equal(stage.fill().length, places)
  }
})

test('when all places are taken, the next goes to the channel that has none', () => {
  const stage = new Stage({ f: 8 })
  stage.add('a', 40)
  stage.fill()
  stage.add('b')
  stage.fill()
  stage.add('c')
  assert.deepEqual(stage.fill(), [])
  stage.end('a')
  assert.deepEqual(stage.fill(), ['c'])
})

test('functions with a limit of their own do not wait for each other', () => {
  const stage = new Stage({ f: 1, g: 1 })
  stage.add('a', 2, 'f')
  stage.add('a', 2, 'g')
  stage.fill()
  assert.deepEqual(
    stage.inFlight.map(({ functionName }) => functionName),
    ['f', 'g'],
  )
})

test('functions that share a limit share it by channels: many functions of one channel do not get more', () => {
  const queue = new StepQueue<NamedStep>()
  const stage = new Stage({})
  let free = 3
  for (const name of ['f', 'g']) for (let count = 0; count < 5; count += 1) queue.add(stage.newStep('a', name))
  queue.add(stage.newStep('b', 'h'))
  const taken: string[] = []
  for (let step = queue.take(() => free); step; step = queue.take(() => free)) {
    taken.push(`${step.channelArn} ${step.functionName}`)
    free -= 1
  }
  assert.deepEqual(taken, ['a f', 'a g', 'b h'])
})

test('a step that is put back keeps its position, before the younger ones of its channel, and has no place', () => {
  const stage = new Stage({ f: 3 })
  stage.add('a', 5)
  stage.fill()
  for (let count = 0; count < 3; count += 1) stage.putBack('a')
  assert.deepEqual(stage.queue.counts, [{ processor: 'f', waiting: 5, inFlight: 0 }])
  stage.fill()
  assert.deepEqual(
    stage.inFlight.map(({ name }) => name),
    ['a1', 'a2', 'a3'],
  )
})

test('a removed step is not taken', () => {
  const stage = new Stage({ f: 1 })
  const [first, second] = [stage.newStep('a'), stage.newStep('a')]
  for (const step of [first, second]) stage.queue.add(step)
  stage.queue.remove(first)
  assert.equal(stage.take(), second)
  stage.queue.remove(second)
  stage.end('a')
  assert.deepEqual(stage.queue.counts, [])
})

test('steps beyond the limit of a channel are parked, and so are all further ones until its rows were read', () => {
  const stage = new Stage({ f: 2 }, { channelStepsMax: 4 })
  assert.equal(stage.add('a', 6), 2)
  assert.equal(stage.add('b', 4), 0)
  assert.equal(stage.queue.claim(), undefined)
  stage.fill()
  assert.equal(stage.add('a'), 1, 'behind those that are parked')
  assert.equal(stage.queue.claim(), undefined, 'not yet low')
  for (let count = 0; count < 2; count += 1) {
    stage.end('a')
    stage.fill()
  }
  const claim = stage.queue.claim()
  assert.deepEqual([claim?.channelArn, claim?.functionArn, claim?.stepsMax, claim?.inMemory], ['a', 'f', 3, 2])
  assert.equal(stage.add('a'), 1, 'while its rows are being read')
  assert.equal(stage.queue.claim(), undefined, 'one read at a time for a channel')
  const rows = [stage.newStep('a'), stage.newStep('a')]
  stage.queue.refill(claim as NonNullable<typeof claim>, rows, undefined)
  assert.equal(stage.add('a'), 1, 'one was parked while the rows were read')
})

test('a step whose outcome is pending has no place, and counts among the rows in memory', () => {
  const stage = new Stage({ f: 1 }, { channelStepsMax: 1 })
  stage.add('a', 2)
  const first = stage.take() as NamedStep
  stage.queue.release(first)
  assert.deepEqual(stage.queue.counts, [{ processor: 'f', waiting: 0, inFlight: 0 }])
  const claim = stage.queue.claim()
  assert.equal(claim?.inMemory, 1)
  stage.queue.end(first)
  stage.queue.refill(claim as NonNullable<typeof claim>, [], undefined)
  assert.deepEqual(stage.queue.counts, [])
})

test('a channel whose rows were all read takes steps again', () => {
  const stage = new Stage({ f: 1 }, { channelStepsMax: 1 })
  assert.equal(stage.add('a', 2), 1)
  stage.fill()
  const claim = stage.queue.claim()
  assert.ok(claim)
  stage.queue.refill(claim, [], undefined)
  assert.equal(stage.add('a'), 0)
})

test('beyond the total limit, channels without a step in memory are refilled first', () => {
  const stage = new Stage({ f: 8 }, { stepsMax: 4, channelStepsMax: 4 })
  stage.add('a', 6)
  assert.equal(stage.add('b'), 1)
  assert.equal(stage.add('c'), 1)
  assert.equal(stage.queue.claim(), undefined, 'no room')
  stage.take()
  assert.equal(stage.add('d'), 1, 'the room is for those that came before')
  for (const channel of ['b', 'c', 'd']) {
    const claim = stage.queue.claim()
    assert.equal(claim?.channelArn, channel)
    stage.queue.refill(claim as NonNullable<typeof claim>, [stage.newStep(channel)], undefined)
    stage.take()
  }
})

test('channels beyond the limit of channels are forgotten', () => {
  const stage = new Stage({ f: 8 }, { stepsMax: 1, starvedMax: 4 })
  stage.add('a')
  for (const channel of ['b', 'c', 'd']) stage.add(channel)
  stage.take()
  const claimed = [stage.queue.claim(), stage.queue.claim(), stage.queue.claim()]
  assert.deepEqual(
    claimed.map((claim) => claim?.channelArn),
    ['b', 'c', undefined],
  )
})

type Doing = ['add' | 'end' | 'put back' | 'remove' | 'refill', channel: number, functionName: number]

const doings: fc.Arbitrary<Doing[]> = fc.array(
  fc.tuple(
    fc.constantFrom(
      'add' as const,
      'add' as const,
      'add' as const,
      'end' as const,
      'put back' as const,
      'remove' as const,
      'refill' as const,
    ),
    fc.nat(5),
    fc.nat(2),
  ),
  { maxLength: 150 },
)

/** Any calls in any order. Parked steps are rows, which `refill` reads. */
class Model {
  readonly queue = new StepQueue<NamedStep>({ stepsMax: 12, channelStepsMax: 4, starvedMax: 100 })
  readonly waiting: NamedStep[] = []
  readonly inFlight: NamedStep[] = []
  readonly rows: NamedStep[] = []
  readonly places: number
  #stage = new Stage({})

  constructor(places: number) {
    this.places = places
  }

  does([what, channel, functionNumber]: Doing): void {
    const [channelArn, functionName] = [`c${channel}`, `f${functionNumber}`]
    const isSame = (step: NamedStep) => step.channelArn === channelArn && step.functionName === functionName
    if (what === 'add') this.#add(this.#stage.newStep(channelArn, functionName))
    if (what === 'refill') this.refill()
    const list = what === 'remove' ? this.waiting : this.inFlight
    const index = list.findIndex(isSame)
    if (index < 0 || what === 'add' || what === 'refill') return
    const [step] = list.splice(index, 1) as [NamedStep]
    if (what === 'remove') this.queue.remove(step)
    else if (what === 'end') this.end(step)
    else {
      this.queue.putBack(step)
      this.waiting.push(step)
    }
  }

  end(step: NamedStep): void {
    this.queue.release(step)
    this.queue.end(step)
  }

  #add(step: NamedStep): void {
    if (this.queue.add(step)) this.waiting.push(step)
    else this.rows.push(step)
  }

  /** Reads rows until no channel can be refilled. */
  refill(): void {
    for (let claim = this.queue.claim(); claim; claim = this.queue.claim()) {
      const { channelArn, functionArn, dueFrom, stepsMax } = claim
      const isOf = (step: NamedStep) =>
        step.channelArn === channelArn && step.functionArn === functionArn && step.dueAt >= dueFrom
      const all = this.rows.filter(isOf)
      const steps = all.slice(0, stepsMax)
      for (const step of steps) this.rows.splice(this.rows.indexOf(step), 1)
      this.queue.refill(claim, steps, all[steps.length]?.dueAt)
      this.waiting.push(...steps)
    }
  }

  /** The number of free places of all functions. */
  get free(): number {
    return this.places - this.inFlight.length
  }

  inFlightOf({ channelArn, functionName }: NamedStep): number {
    return this.inFlight.filter((step) => step.channelArn === channelArn && step.functionName === functionName).length
  }

  take(): NamedStep | undefined {
    const step = this.queue.take(() => this.free)
    if (!step) return undefined
    this.waiting.splice(this.waiting.indexOf(step), 1)
    return step
  }
}

test('invariant: the next step is of a channel with the fewest in flight, and the oldest of that channel', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), doings, (places, list) => {
      const model = new Model(places)
      for (const doing of list) {
        model.does(doing)
        for (let step = model.take(); step; step = model.take()) {
          const own = model.inFlightOf(step)
          for (const other of model.waiting) assert.ok(own <= model.inFlightOf(other), 'the fewest in flight')
          const { channelArn, functionName, order } = step
          const older = model.waiting.filter(
            (one) => one.channelArn === channelArn && one.functionName === functionName,
          )
          assert.ok(
            older.every((one) => one.order > order),
            'the oldest of its channel',
          )
          assert.ok(model.free > 1 || own < 3, 'the last place is not for a channel that has three')
          model.inFlight.push(step)
        }
        const isBlocked = model.waiting.every(
          (step) => model.free === 0 || (model.free === 1 && model.inFlightOf(step) >= 3),
        )
        assert.ok(isBlocked, 'no place stays free that a step may take')
      }
    }),
    { numRuns: 300 },
  )
})

test('invariant: each step is taken at last, and then the queue is empty', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), doings, (places, list) => {
      const model = new Model(places)
      for (const doing of list) model.does(doing)
      for (let rounds = 0; model.waiting.length + model.rows.length + model.inFlight.length > 0; rounds += 1) {
        assert.ok(rounds < 1_000, 'a step is never taken')
        for (const step of model.inFlight.splice(0)) model.end(step)
        for (let step = model.take(); step; step = model.take()) model.inFlight.push(step)
        model.refill()
      }
      assert.deepEqual(model.queue.counts, [])
      assert.equal(model.queue.claim(), undefined)
    }),
    { numRuns: 300 },
  )
})

test('invariant: waiting and parked steps are counted by function and by channel', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 6 }), doings, (places, list) => {
      const model = new Model(places)
      for (const doing of list) {
        model.does(doing)
        for (const { functionName, channelArn } of [...model.waiting, ...model.rows, ...model.inFlight]) {
          const all = [...model.waiting, ...model.rows].filter((step) => step.functionName === functionName)
          assert.equal(model.queue.backlogOf(functionName).steps, all.length)
          const ofChannel = all.filter((step) => step.channelArn === channelArn)
          assert.equal(model.queue.backlogOfChannel(functionName, channelArn), ofChannel.length)
        }
      }
      assert.deepEqual(model.queue.backlogOf('unknown'), { steps: 0, channels: 0 })
    }),
    { numRuns: 300 },
  )
})

test('invariant: the limits of steps in memory hold', () => {
  fc.assert(
    fc.property(doings, (list) => {
      const model = new Model(3)
      for (const doing of list) {
        if (doing[0] !== 'put back') model.does(doing)
        for (let step = model.take(); step; step = model.take()) model.inFlight.push(step)
        assert.ok(model.waiting.length <= 12)
        const counts = model.queue.counts
        assert.equal(
          counts.reduce((sum, { waiting }) => sum + waiting, 0),
          model.waiting.length,
        )
        assert.equal(
          counts.reduce((sum, { inFlight }) => sum + inFlight, 0),
          model.inFlight.length,
        )
      }
    }),
    { numRuns: 300 },
  )
})
