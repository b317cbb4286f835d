import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoryBus } from '../../src/bus/memory.ts'
import { busSuite } from './bus-suite.ts'
import { envelope, Recorder } from './recorder.ts'

busSuite('memory', false, async (context) => {
  const bus = memoryBus()
  context.after(() => bus.close())
  return { here: bus, there: bus }
})

test('memory: a closed bus is silent', async () => {
  const bus = memoryBus()
  const recorder = new Recorder(bus)
  await bus.close()
  bus.publish([envelope('C', 1)])
  assert.deepEqual(recorder.heard, [])
})
