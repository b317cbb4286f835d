import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PutOffWrites, putOffMs } from '../../src/flow/put-off.ts'
import { SettableClock } from '../support/settable-clock.ts'

function open() {
  const clock = new SettableClock()
  const putOff = new PutOffWrites(clock)
  const written: string[] = []
  const add = (callbackId: string, text = callbackId) => putOff.add(callbackId, async () => void written.push(text))
  return { clock, putOff, written, add }
}

test('each write runs a second after it was put off, in order', () => {
  const { clock, written, add } = open()
  add('a')
  clock.advance(putOffMs / 2)
  add('b')
  clock.advance(putOffMs / 2 - 1)
  assert.deepEqual(written, [])
  clock.advance(1)
  assert.deepEqual(written, ['a'])
  clock.advance(putOffMs / 2)
  assert.deepEqual(written, ['a', 'b'])
  assert.equal(clock.alarms, 0)
})

test('a cancelled write does not run, and later ones keep their time', () => {
  const { clock, putOff, written, add } = open()
  add('a')
  clock.advance(10)
  add('b')
  putOff.cancel('a')
  clock.advance(putOffMs - 1)
  assert.deepEqual(written, [])
  clock.advance(1)
  assert.deepEqual(written, ['b'])
})

test('one timer serves any number of writes', () => {
  const { clock, add } = open()
  for (let count = 0; count < 100; count += 1) add(`step-${count}`)
  assert.equal(clock.alarms, 1)
})

test('a later write of a step replaces the earlier one and keeps its time', () => {
  const { clock, written, add } = open()
  add('a', 'handed over')
  clock.advance(putOffMs - 1)
  add('a', 'completed')
  clock.advance(1)
  assert.deepEqual(written, ['completed'])
})

test('a flush runs all writes at once, each only once', async () => {
  const { clock, putOff, written, add } = open()
  add('a')
  add('b')
  await putOff.flush()
  assert.deepEqual(written, ['a', 'b'])
  clock.advance(2 * putOffMs)
  assert.deepEqual(written, ['a', 'b'])
})

test('a flush resolves when its writes have ended', async () => {
  const { putOff } = open()
  const write = Promise.withResolvers<void>()
  putOff.add('a', () => write.promise)
  let isFlushed = false
  const flushed = putOff.flush().then(() => {
    isFlushed = true
  })
  await new Promise(setImmediate)
  assert.equal(isFlushed, false)
  write.resolve()
  await flushed
})

test('after the clock was set back by an hour, the writes run within a second', () => {
  const { clock, written, add } = open()
  add('a')
  clock.set(-3_600_000)
  add('b')
  clock.advance(putOffMs)
  assert.deepEqual(written, ['a', 'b'])
})
