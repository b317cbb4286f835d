import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { type SendKey, SendQueue } from '../../src/api/send-queue.ts'

interface Send extends SendKey {
  name: string
}

/** `quick a 1`: the first send of channel a, for the function `quick`. */
function send(name: string): Send {
  const [functionName = '', channelArn = ''] = name.split(' ')
  return { name, functionName, channelArn }
}

function queueOf(...names: string[]) {
  const queue = new SendQueue<Send>()
  for (const name of names) queue.add(send(name))
  const take = ({ closed = [] as string[], held = [] as string[] } = {}) =>
    queue.take(
      (functionName) => !closed.includes(functionName),
      ({ channelArn }) => !held.includes(channelArn),
    )?.name
  return { queue, take, takeAll: () => Array.from({ length: queue.size }, () => take()) }
}

suite('sends that wait are taken', () => {
  test('in turn over the functions, and over the channels of a function', () => {
    const { takeAll } = queueOf('busy a 1', 'busy a 2', 'busy a 3', 'busy b 1', 'calm c 1', 'calm c 2')
    assert.deepEqual(takeAll(), ['busy a 1', 'calm c 1', 'busy b 1', 'calm c 2', 'busy a 2', 'busy a 3'])
  })

  test('so that a thousand sends of one channel delay another function by one send, and another channel by two', () => {
    const flood = Array.from({ length: 1_000 }, (_, index) => `busy a ${index}`)
    const { takeAll } = queueOf(...flood, 'busy b 1', 'calm c 1')
    const order = takeAll()
    assert.deepEqual([order.indexOf('calm c 1'), order.indexOf('busy b 1')], [1, 2])
  })

  test('in the order in which a channel has sent them', () => {
    const { takeAll } = queueOf('f a 1', 'f b 1', 'f a 2', 'f b 2', 'f a 3')
    assert.deepEqual(
      takeAll().filter((name) => name?.startsWith('f a')),
      ['f a 1', 'f a 2', 'f a 3'],
    )
  })

  test('past a function that is closed and a channel that is held back', () => {
    const { take } = queueOf('shut a 1', 'open b 1', 'open c 1')
    const rules = { closed: ['shut'], held: ['b'] }
    assert.deepEqual(
      [take(rules), take(rules), take(), take(), take()],
      ['open c 1', undefined, 'shut a 1', 'open b 1', undefined],
    )
  })

  test('but for one that was removed', () => {
    const { queue, take } = queueOf()
    const [first, second, third] = [send('f a 1'), send('f a 2'), send('g b 1')]
    for (const one of [first, second, third]) queue.add(one)
    queue.remove(second)
    queue.remove(third)
    queue.remove(third)
    assert.deepEqual([queue.size, queue.has('f'), queue.has('g')], [1, true, false])
    assert.deepEqual([take(), take(), queue.size, queue.has('f')], ['f a 1', undefined, 0, false])
  })
})
