import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { FunctionFailed } from '../../src/processor/answering-function.ts'
import { type Clock, systemClock } from '../../src/runtime/clock.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { openGate, startFunctions } from './functions.ts'

const limits = { placesMax: 2, waitingMax: 2, callMsMax: 20_000, waitMsMax: 30_000 }

async function startAnswering(t: TestContext, source: string, options = {}, clock: Clock = systemClock) {
  const files = { 'ask.mjs': source, 'flow.mjs': 'export const handler = async () => "ignored"' }
  const started = await startFunctions(t, files, { processesMax: 1, clock })
  const functionArn = 'arn:aws:lambda:us-east-1:111122223333:function:ask'
  const answering = started.target.answeringFunction({ functionName: 'ask', functionArn, ...limits, ...options })
  return { ...started, ask: (event: object) => answering.call(event), answering }
}

suite('a function that answers', { concurrency: 2 }, () => {
  test('returns any JSON, and is called again by the same process', async (t) => {
    const { ask } = await startAnswering(
      t,
      'let calls = 0; export const handler = async (event) => ({ ...event, calls: ++calls })',
    )
    assert.deepEqual(await ask({ a: [1, 'ü', null] }), { a: [1, 'ü', null], calls: 1 })
    assert.deepEqual(await ask({}), { calls: 2 })
  })

  for (const [value, expected] of [
    ['undefined', null],
    ['null', null],
    ['"text\\n"', 'text\n'],
  ] as const) {
    test(`gives ${expected === null ? 'null' : 'a text'} for ${value}`, async (t) => {
      const { ask } = await startAnswering(t, `export const handler = async () => ${value}`)
      assert.deepEqual(await ask({}), expected)
    })
  }

  test('answers by the callback, too', async (t) => {
    const { ask } = await startAnswering(
      t,
      'export const handler = (event, context, callback) => { callback(null, "called") }',
    )
    assert.equal(await ask({}), 'called')
  })

  const failures = {
    'throws an error': ['export const handler = async () => { throw new TypeError("secret") }', /^TypeError$/],
    'returns too much': ['export const handler = async () => "x".repeat(8200)', /^RangeError$/],
    'returns no JSON': ['export const handler = async () => 1n', /^TypeError$/],
    'ends its process': ['export const handler = async () => process.exit(3)', /exited with code 3/],
    'cannot be loaded': ['throw new Error("broken")', /broken/],
  } as const
  for (const [what, [source, reason]] of Object.entries(failures)) {
    test(`fails if it ${what}`, async (t) => {
      const { ask } = await startAnswering(t, source)
      await assert.rejects(ask({}), (error: Error) => {
        assert.ok(error instanceof FunctionFailed)
        assert.match(error.message, reason)
        return true
      })
    })
  }

  test('fails if there is no such function', async (t) => {
    const { target } = await startAnswering(t, '')
    const answering = target.answeringFunction({ functionName: 'other', functionArn: '', ...limits })
    await assert.rejects(answering.call({}), FunctionFailed)
  })

  test('is ended when its time is over, though its function.json allows more', async (t) => {
    const { ask } = await startAnswering(
      t,
      'export const handler = () => new Promise(() => setInterval(() => {}, 1e6))',
      {
        callMsMax: 50,
      },
    )
    await assert.rejects(ask({}), { message: 'timed out after 50 ms' })
  })

  test('prints at the level debug', async (t) => {
    const { ask, log } = await startAnswering(
      t,
      'export const handler = async ({ token }) => { console.log(token); console.error(token); throw new Error(token) }',
    )
    await assert.rejects(ask({ token: 'T0KEN' }))
    await log.waitFor('T0KEN')
    const levels = log.lines.filter(({ text, fields }) => JSON.stringify([text, fields]).includes('T0KEN'))
    assert.deepEqual([...new Set(levels.map(({ level }) => level))], ['debug'])
  })

  test('takes no place of the functions that process messages, and has a queue with a limit', async (t) => {
    const gate = await openGate(t)
    const { ask, target, invoke } = await startAnswering(
      t,
      `export const handler = async ({ n }) => { await fetch('${gate.url}'); return n }`,
    )
    const calls = [1, 2, 3, 4].map((n) => ask({ n }))
    const first = await gate.arrivals(2)
    await assert.rejects(ask({ n: 5 }), { message: '2 calls wait for function ask' })
    assert.equal(target.freePlaces('flow'), 1)
    assert.deepEqual(await invoke('flow'), { result: 'completed', handedOver: 1 })
    for (const { release } of first) release()
    for (const { release } of await gate.arrivals(2)) release()
    assert.deepEqual(await Promise.all(calls), [1, 2, 3, 4])
  })

  test('a call that waits too long is given up, and does not take a place later', async (t) => {
    const gate = await openGate(t)
    const clock = new ManualClock(0)
    const { ask } = await startAnswering(
      t,
      `export const handler = async ({ n }) => { await fetch('${gate.url}/' + n); return n }`,
      { placesMax: 1, callMsMax: 60_000 },
      clock,
    )
    const calls = [1, 2].map((n) => assert.rejects(ask({ n }), /timed out after 30 s/))
    const [first] = await gate.arrivals(1)
    clock.advance(30_000)
    await Promise.all(calls)
    const third = ask({ n: 3 })
    first?.release()
    const [next] = await gate.arrivals(1)
    assert.equal(next?.name, '3')
    next?.release()
    assert.equal(await third, 3)
  })

  test('rejects the calls that wait when it closes', async (t) => {
    const gate = await openGate(t)
    const { ask, target } = await startAnswering(
      t,
      `export const handler = async () => { await fetch('${gate.url}') }`,
      { placesMax: 1 },
    )
    const running = ask({})
    const [arrived] = await gate.arrivals(1)
    const waiting = assert.rejects(ask({}), { message: 'the server is closing' })
    const closing = target.close()
    await waiting
    arrived?.release()
    assert.equal(await running, null)
    await closing
  })
})
