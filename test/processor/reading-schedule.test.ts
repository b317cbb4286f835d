import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { ReadingSchedule } from '../../src/processor/reading-schedule.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** A schedule of readings that take this long. Its first reading has ended. */
async function scheduleOf(readingMs: number) {
  const clock = new ManualClock()
  let readings = 0
  const read = () => {
    readings += 1
    return new Promise<void>((resolve) => clock.at(clock.now() + readingMs, resolve))
  }
  const overdue = () => assert.fail('no reading takes too long')
  const schedule = new ReadingSchedule({ clock, read, overdue })
  const opened = schedule.readNow()
  clock.advance(readingMs)
  await opened
  return { clock, schedule, readings: () => readings }
}

test('on a slow disk, no event waits for a reading', async () => {
  const { clock, schedule, readings } = await scheduleOf(3_000)
  let waits = 0
  for (let tenth = 0; tenth < 200; tenth++) {
    if (schedule.refresh() !== undefined) waits += 1
    clock.advance(100)
    await nextTurn()
  }
  // The first one, and one after the other in the 20 s that follow.
  assert.equal(readings(), 8)
  assert.equal(waits, 0)
})
