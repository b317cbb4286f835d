import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { nearest } from '../src/near-names.ts'
import { allSettings } from '../src/settings.ts'

suite('nearest', () => {
  const flags = allSettings.flatMap(({ flag }) => flag ?? [])

  const ports = '; near ones are --http-port, --https-port, --admin-port'
  const cases: [typed: string, said: string][] = [
    ['--prot', ports],
    ['--port', ports],
    ['--htp-port', '; the nearest one is --http-port'],
    ['--httpport', '; the nearest one is --http-port'],
    ['--dataDir', '; the nearest one is --data-dir'],
    ['--data', '; the nearest one is --data-dir'],
    ['--log', '; near ones are --log-level, --log-format'],
    ['--host-public', '; the nearest one is --public-host'],
    ['--limit', '; the nearest one is --limits'],
    ['--colour', ''],
    ['--verbose', ''],
    ['-p', ''],
    ['--', ''],
  ]
  for (const [typed, said] of cases) {
    test(`of ${typed} says ${JSON.stringify(said)}`, () => assert.equal(nearest(typed, flags), said))
  }

  test('names no more than three', () => {
    assert.equal(nearest('a-x', ['a-b', 'a-c', 'a-d', 'a-e']), '')
    assert.equal(nearest('abc', ['abc-b', 'abc-c', 'abc-d', 'abc-e']), '; near ones are abc-b, abc-c, abc-d')
  })
})
