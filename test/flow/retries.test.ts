import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Retries } from '../../src/flow/retries.ts'
import { SettableClock } from '../support/settable-clock.ts'

function open() {
  const clock = new SettableClock()
  const retries = new Retries(clock)
  /** When each attempt was made, in seconds. */
  const tried: [callbackId: string, atSeconds: number][] = []
  const add = (callbackId: string, successAt = Number.POSITIVE_INFINITY, pauseMs?: number) =>
    retries.add(callbackId, {
      attempt: async () => {
        tried.push([callbackId, clock.now() / 1_000])
        return tried.filter(([id]) => id === callbackId).length >= successAt
      },
      ...(pauseMs !== undefined && { pauseMs }),
    })
  /** Advances the clock second by second and waits for the attempts. */
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      clock.advance(1_000)
      await new Promise(setImmediate)
    }
  }
  return { clock, retries, tried, add, pass }
}

test('a failure is retried after 1, 2, 4 … 30 s', async () => {
  const { tried, add, pass } = open()
  add('a')
  await pass(130)
  const times = tried.map(([, seconds]) => seconds)
  assert.deepEqual(times, [1, 3, 7, 15, 31, 61, 91, 121])
})

test('a success is not retried, and no timer is left', async () => {
  const { clock, retries, tried, add, pass } = open()
  add('a', 3)
  await pass(60)
  assert.equal(tried.length, 3)
  assert.equal(retries.size, 0)
  assert.equal(clock.alarms, 0)
})

test('the first pause can be set, and the others grow from it', async () => {
  const { tried, add, pass } = open()
  add('a', 3, 5_000)
  await pass(60)
  assert.deepEqual(tried, [
    ['a', 5],
    ['a', 15],
    ['a', 35],
  ])
})

test('each step has its own pauses, and one timer serves all', async () => {
  const { clock, tried, add, pass } = open()
  add('a', 2)
  await pass(2)
  add('b', 2)
  assert.equal(clock.alarms, 1)
  await pass(10)
  assert.deepEqual(tried, [
    ['a', 1],
    ['a', 3],
    ['b', 3],
    ['b', 5],
  ])
})

test('a cancelled step is not retried, even if its attempt is in flight', async () => {
  const { clock, retries, tried, add, pass } = open()
  add('a')
  retries.cancel('a')
  const attempt = Promise.withResolvers<boolean>()
  retries.add('b', { attempt: () => attempt.promise })
  await pass(1)
  retries.cancel('b')
  attempt.resolve(false)
  await pass(60)
  assert.deepEqual(tried, [])
  assert.equal(retries.has('b'), false)
  assert.equal(clock.alarms, 0)
})

test('a step is not retried while an attempt is in flight', async () => {
  const { retries, add, tried, pass } = open()
  let attempts = 0
  const attempt = Promise.withResolvers<boolean>()
  retries.add('slow', {
    attempt: () => {
      attempts += 1
      return attempt.promise
    },
  })
  add('other', 5)
  await pass(60)
  assert.equal(attempts, 1)
  assert.equal(tried.length, 5)
  attempt.resolve(false)
  await pass(3)
  assert.equal(attempts, 2)
})

test('a later retry of a step replaces the earlier one, which may still be in flight', async () => {
  const { retries, tried, add, pass } = open()
  const attempt = Promise.withResolvers<boolean>()
  retries.add('a', { attempt: () => attempt.promise })
  await pass(1)
  add('a')
  attempt.resolve(true)
  await pass(2)
  assert.deepEqual(tried, [['a', 2]])
})

test('the last of 10,001 steps is rejected, unless it replaces an earlier retry', () => {
  const { retries, add } = open()
  for (let count = 0; count < 10_000; count += 1) assert.equal(add(`step-${count}`), true)
  assert.equal(add('one too many'), false)
  assert.equal(add('step-5000'), true)
  assert.equal(retries.size, 10_000)
  retries.cancel('step-5000')
  assert.equal(add('one too many'), true)
})

test('after the clock was set back by an hour, the pauses continue', async () => {
  const { clock, tried, add, pass } = open()
  add('a', 3)
  await pass(1)
  clock.set(-3_600_000)
  await pass(2)
  assert.equal(tried.length, 2)
  await pass(4)
  assert.equal(tried.length, 3)
})

test('after close nothing is retried, and new retries are dropped silently', async () => {
  const { clock, retries, tried, add, pass } = open()
  add('a')
  retries.close()
  assert.equal(add('b'), true)
  await pass(60)
  assert.deepEqual(tried, [])
  assert.equal(clock.alarms, 0)
})
