import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Observer } from './observer.ts'

test('the observer notices a text that was not released', () => {
  const observer = new Observer()
  observer.see('event', 'OK-1 change')
  observer.see('list', undefined)
  assert.deepEqual(observer.violations, [])
  observer.see('event', 'RAW-1 change')
  assert.deepEqual(observer.violations, ['event: RAW-1 change'])
})
