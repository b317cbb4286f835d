import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import fc from 'fast-check'
import type { Call } from '../../src/processor/function-child.ts'
import type { FunctionCode } from '../../src/processor/function-files.ts'
import { Closing, FunctionPool, type PooledChild } from '../../src/processor/function-pool.ts'
import type { HandOff } from '../../src/processor/target.ts'
import { Shortage } from '../../src/runtime/shortage.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** A process that does what the test says: its call ends, it crashes, and a killed one is gone when the test lets it go. */
class SimulatedChild implements PooledChild {
  readonly code: FunctionCode
  readonly exited: Promise<void>
  ending = false
  #exit: () => void
  #call: PromiseWithResolvers<HandOff> | undefined

  constructor(code: FunctionCode) {
    this.code = code
    const { promise, resolve } = Promise.withResolvers<void>()
    this.exited = promise
    this.#exit = resolve
  }

  get idle(): boolean {
    return !this.#call && !this.ending
  }

  get busy(): boolean {
    return this.#call !== undefined
  }

  invoke(): Promise<HandOff> {
    assert.ok(this.idle, 'one call at a time, and none for a process that ends')
    this.#call = Promise.withResolvers()
    return this.#call.promise
  }

  end(): void {
    this.ending = true
  }

  endCall(): void {
    this.#call?.resolve({ result: 'completed' })
    this.#call = undefined
  }

  /** As the system tells of it, once it has been killed or has crashed. */
  exit(): void {
    this.ending = true
    this.#call?.resolve({ result: 'crashed', reason: 'gone' })
    this.#call = undefined
    this.#exit()
  }
}

const codeOf = (functionName: string, concurrency: number, signature = 'one'): FunctionCode => ({
  functionName,
  actAs: [],
  concurrency,
  signature,
  handler: 'index.handler',
  environment: {},
  timeoutMs: 1_000,
  file: `${functionName}.mjs`,
  exportPath: 'handler',
  taskRoot: '/',
})

/** A pool whose processes are the test's own, and who counts them as the system would. */
class Stage {
  readonly clock = new ManualClock()
  readonly alive = new Set<SimulatedChild>()
  readonly ended: (HandOff | Error)[] = []
  readonly pool: FunctionPool
  started = 0
  freed = 0

  constructor(processesMax: number) {
    const start = (code: FunctionCode) => {
      const child = new SimulatedChild(code)
      this.started += 1
      this.alive.add(child)
      void child.exited.then(() => this.alive.delete(child))
      return child
    }
    this.pool = new FunctionPool({ processesMax, start, clock: this.clock, placeFreed: () => (this.freed += 1) })
  }

  /** As the target does: the place is taken at once. */
  invoke(code: FunctionCode): void {
    this.pool.enter(code.functionName, code.concurrency)
    void this.pool
      .run(code, {} as Call)
      .then(
        (handOff) => this.ended.push(handOff),
        (error: Error) => this.ended.push(error),
      )
      .finally(() => this.pool.leave(code.functionName))
  }

  of(name: string): SimulatedChild[] {
    return [...this.alive].filter((child) => child.code.functionName === name)
  }

  /** Everything that ends has ended. */
  async settle(): Promise<void> {
    await nextTurn()
    for (let ending = this.#ending(); ending.length > 0; ending = this.#ending()) {
      for (const child of ending) child.exit()
      await nextTurn()
    }
  }

  #ending = () => [...this.alive].filter((child) => child.ending)
}

const completed: HandOff = { result: 'completed' }

describe('the processes of all functions', () => {
  test('are started when needed, used again, and make room for another function, the longest idle first', async () => {
    const stage = new Stage(3)
    const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => codeOf(name, 8)) as [
      FunctionCode,
      FunctionCode,
      FunctionCode,
      FunctionCode,
    ]
    for (const code of [a, b, c, a]) {
      stage.invoke(code)
      await nextTurn()
      for (const child of stage.alive) child.endCall()
      await nextTurn()
    }
    assert.equal(stage.started, 3)
    assert.equal(stage.pool.freePlaces('d', 8), 3)
    stage.invoke(d)
    assert.equal(stage.pool.freePlaces('d', 8), 2)
    await nextTurn()
    assert.deepEqual(
      [...stage.alive].filter(({ ending }) => ending).map(({ code }) => code.functionName),
      ['b'],
    )
    assert.equal(stage.started, 3, 'it starts when the place is free')
    await stage.settle()
    assert.equal(stage.started, 4)
    assert.equal(stage.of('d')[0]?.busy, true)
  })

  test('are never more for one function than it says, and a dying one counts until it has exited', async () => {
    const stage = new Stage(8)
    const one = codeOf('a', 1)
    stage.pool.use('one')
    stage.invoke(one)
    assert.equal(stage.pool.freePlaces('a', 1), 0)
    assert.throws(() => stage.invoke(one), Shortage)
    await nextTurn()
    stage.of('a')[0]!.endCall()
    await nextTurn()
    assert.equal(stage.pool.freePlaces('a', 1), 1)
    stage.pool.use('two')
    assert.equal(stage.pool.freePlaces('a', 1), 0)
    const { freed } = stage
    await stage.settle()
    assert.equal(stage.freed, freed + 1)
    assert.equal(stage.pool.freePlaces('a', 1), 1)
  })

  test('of another function may wait for a place that a call frees, so they are told', async () => {
    const stage = new Stage(1)
    stage.invoke(codeOf('a', 8))
    assert.equal(stage.pool.freePlaces('b', 8), 0)
    await nextTurn()
    stage.of('a')[0]!.endCall()
    await nextTurn()
    assert.equal(stage.freed, 1)
    assert.equal(stage.pool.freePlaces('b', 8), 1)
  })

  test('whose files have changed end with their call', async () => {
    const stage = new Stage(8)
    stage.pool.use('one')
    stage.invoke(codeOf('a', 8))
    await nextTurn()
    const [old] = stage.of('a')
    stage.pool.use('two')
    assert.equal(old?.ending, false)
    stage.invoke(codeOf('a', 8, 'two'))
    await nextTurn()
    assert.equal(stage.of('a').length, 2)
    old?.endCall()
    await nextTurn()
    assert.equal(old?.ending, true)
    assert.deepEqual(stage.ended, [completed])
  })

  for (const [what, concurrency, processesMax] of [
    ['the function', 1, 8],
    ['all functions', 8, 1],
  ] as const) {
    test(`that end when a call has entered make room for it, if that was the only place of ${what}`, async () => {
      const stage = new Stage(processesMax)
      stage.pool.use('one')
      stage.invoke(codeOf('a', concurrency))
      await nextTurn()
      stage.of('a')[0]!.endCall()
      await nextTurn()
      stage.pool.enter('a', concurrency)
      stage.pool.use('two')
      const handOff = stage.pool.run(codeOf('a', concurrency, 'two'), {} as Call)
      await stage.settle()
      stage.of('a')[0]!.endCall()
      assert.deepEqual(await handOff, completed)
      assert.equal(stage.started, 2)
    })
  }

  test('that cannot be killed put the call off that needs their place', async () => {
    const stage = new Stage(1)
    stage.invoke(codeOf('a', 8))
    await nextTurn()
    stage.of('a')[0]!.endCall()
    await nextTurn()
    stage.invoke(codeOf('b', 8))
    await nextTurn()
    stage.clock.advance(5_000)
    await nextTurn()
    const [, putOff] = stage.ended
    assert.ok(putOff instanceof Shortage && putOff.kind === 'processes')
    assert.equal(stage.pool.freePlaces('b', 8), 0, 'the process is still there')
    await stage.settle()
    assert.equal(stage.pool.freePlaces('b', 8), 1)
  })

  test('are fewer when function.json says so: a call that entered before is put off', async () => {
    const stage = new Stage(8)
    stage.invoke(codeOf('a', 2))
    stage.pool.enter('a', 2)
    await nextTurn()
    await assert.rejects(stage.pool.run(codeOf('a', 1, 'two'), {} as Call), Shortage)
    assert.equal(stage.started, 1)
  })

  test('end when the pool closes, the busy ones with their call', async () => {
    const stage = new Stage(8)
    for (const name of ['a', 'b']) stage.invoke(codeOf(name, 8))
    await nextTurn()
    stage.of('a')[0]!.endCall()
    await nextTurn()
    const closed = stage.pool.close()
    assert.throws(() => stage.invoke(codeOf('c', 8)), Closing)
    assert.deepEqual([stage.of('a')[0]?.ending, stage.of('b')[0]?.ending], [true, false])
    stage.of('b')[0]!.endCall()
    await stage.settle()
    await closed
    assert.equal(stage.alive.size, 0)
  })
})

test('whatever happens, places are exact: a free place is had, and there are never more processes than places', async () => {
  const functions = { a: 1, b: 2, c: 5 }
  const names = fc.constantFrom<keyof typeof functions>('a', 'b', 'c')
  const which = fc.nat(100)
  const step = fc.oneof(
    fc.record({ does: fc.constant('invoke' as const), name: names, which }),
    fc.record({ does: fc.constantFrom('endCall' as const, 'exit' as const, 'turn' as const), name: names, which }),
    fc.record({ does: fc.constant('change' as const), name: names, which }),
  )
  const run = async (processesMax: number, steps: (typeof step extends fc.Arbitrary<infer T> ? T : never)[]) => {
    const stage = new Stage(processesMax)
    let signature = 0
    let invoked = 0
    const check = () => {
      assert.ok(stage.alive.size <= processesMax, `${stage.alive.size} processes of ${processesMax}`)
      for (const [name, concurrency] of Object.entries(functions)) {
        assert.ok(stage.of(name).length <= concurrency, `${stage.of(name).length} processes of ${name}`)
      }
    }
    stage.pool.use('0')
    for (const { does, name, which } of steps) {
      const code = codeOf(name, functions[name], String(signature))
      const pick = (from: SimulatedChild[]) => from[which % Math.max(1, from.length)]
      if (does === 'invoke' && stage.pool.freePlaces(name, functions[name]) > 0) {
        stage.invoke(code)
        invoked += 1
      }
      // The system tells of processes in turns of its own.
      if (does === 'endCall' || does === 'exit') await nextTurn()
      if (does === 'endCall') pick([...stage.alive].filter(({ busy }) => busy))?.endCall()
      // Of itself, or since it was killed.
      if (does === 'exit') pick([...stage.alive])?.exit()
      if (does === 'change' && which < 20) stage.pool.use(String(++signature))
      if (which % 2 === 0) await nextTurn()
      check()
    }
    for (let turn = 0; stage.ended.length < invoked; turn++) {
      assert.ok(turn < 1_000, 'every call ends')
      await stage.settle()
      for (const child of stage.alive) child.endCall()
      check()
    }
    await stage.settle()
    assert.deepEqual(
      stage.ended.filter((handOff) => handOff instanceof Error),
      [],
      'a call that had a free place reached a process',
    )
    for (const [name, concurrency] of Object.entries(functions)) {
      assert.equal(stage.pool.freePlaces(name, concurrency), Math.min(concurrency, processesMax))
    }
  }
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 6 }), fc.array(step, { maxLength: 60 }), run), {
    numRuns: 200,
  })
})
