import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runKills } from './kill-run.ts'
import { Observer } from './observer.ts'

test('the observer notices a text that was not released', () => {
  const observer = new Observer()
  observer.see('event', 'OK-1 change')
  observer.see('list', undefined)
  assert.deepEqual(observer.violations, [])
  observer.see('event', 'RAW-1 change')
  assert.deepEqual(observer.violations, ['event: RAW-1 change'])
})

test('what was acknowledged is true after a crash at each point', { timeout: 400_000 }, (t) =>
  runKills(t, { killsMin: 7, acknowledgedMin: 600 }),
)
