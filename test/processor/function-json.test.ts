import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseFunctionJson, splitHandler } from '../../src/processor/function-json.ts'

describe('function.json', () => {
  test('may leave everything out', () => {
    assert.deepEqual(parseFunctionJson('{}'), {
      handler: 'index.handler',
      environment: {},
      timeoutMs: 30_000,
      concurrency: 8,
      actAs: [],
    })
  })

  test('may say how the function is to be run', () => {
    const settings = {
      handler: 'src/app.handler',
      environment: { A: '1' },
      timeoutMs: 900_000,
      concurrency: 1_000,
      actAs: ['ann'],
    }
    assert.deepEqual(parseFunctionJson(JSON.stringify(settings)), settings)
  })

  test('is refused with all that is wrong with it', () => {
    const text =
      '{ "timeoutMS": 1, "handler": "app", "environment": { "A": 1 }, "timeoutMs": 1.5, "concurrency": 0, "actAs": ["a/b"] }'
    const message = [
      '"timeoutMS" is none of handler, environment, timeoutMs, concurrency, actAs',
      '"handler" must be FILE.EXPORT below this folder, such as "src/app.handler"',
      '"environment" must be an object such as {"TABLE": "words"}',
      '"actAs" must be a list of AppInstanceUser ids such as ["moderator"]',
      '"timeoutMs" must be a whole number from 1 to 900000',
      '"concurrency" must be a whole number from 1 to 1000',
    ].join('; ')
    assert.throws(() => parseFunctionJson(text), { message })
  })

  test('is refused when it is no object, or no JSON', () => {
    for (const text of ['[]', 'null', '"a"', '1']) {
      assert.throws(() => parseFunctionJson(text), { message: 'it must be an object' })
    }
    assert.throws(() => parseFunctionJson('{'), SyntaxError)
  })

  test('is refused when a value is out of bounds', () => {
    const wrong = [
      { timeoutMs: 0 },
      { timeoutMs: 900_001 },
      { timeoutMs: '1000' },
      { timeoutMs: null },
      { concurrency: 1_001 },
      { concurrency: 2.5 },
      { concurrency: '8' },
      { environment: [] },
      { environment: null },
      { environment: { A: 'a\0b' } },
      { environment: { 'A=B': 'a' } },
      { environment: { '': 'a' } },
    ]
    for (const value of wrong)
      assert.throws(() => parseFunctionJson(JSON.stringify(value)), /must be/, JSON.stringify(value))
  })
})

describe('a handler', () => {
  test('names a file and what it exports: the name of the file ends at its first dot', () => {
    assert.deepEqual(splitHandler('index.handler'), { modulePath: 'index', exportPath: 'handler' })
    assert.deepEqual(splitHandler('src/app.entry.run'), { modulePath: 'src/app', exportPath: 'entry.run' })
    assert.deepEqual(splitHandler('v1.2/app.run'), { modulePath: 'v1.2/app', exportPath: 'run' })
  })

  test('is refused when it leads out of its folder or names no export', () => {
    const wrong = [
      '',
      'app',
      'app.',
      '.handler',
      'src/.handler',
      '../app.handler',
      'a/../../b.c',
      '/etc/app.handler',
      'a b.c',
      1,
    ]
    for (const handler of wrong) {
      assert.throws(() => parseFunctionJson(JSON.stringify({ handler })), /"handler" must be/, String(handler))
    }
  })
})
