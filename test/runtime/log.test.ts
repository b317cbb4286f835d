import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { pino } from 'pino'
import { LineFlush } from '../../src/runtime/log.ts'

/** A log with each of its writes, as the texts of its lines. */
function createWatched() {
  const writes: string[][] = []
  const lines = new LineFlush((text) => {
    const texts = text.trimEnd().split('\n')
    writes.push(texts.map((line) => JSON.parse(line).msg))
  })
  return { log: pino({}, lines), writes }
}

test('the lines of a turn of the event loop share one write', async () => {
  const { log, writes } = createWatched()
  log.info('first')
  log.info('second')
  assert.deepEqual(writes, [])
  await setImmediate()
  log.info('third')
  await setImmediate()
  assert.deepEqual(writes, [['first', 'second'], ['third']])
})

for (const level of ['warn', 'error'] as const) {
  test(`a line of level ${level} is written at once, after those before it`, async () => {
    const { log, writes } = createWatched()
    log.info('before')
    log[level]('bad')
    assert.deepEqual(writes, [['before', 'bad']])
    log.info('after')
    await setImmediate()
    assert.deepEqual(writes, [['before', 'bad'], ['after']])
  })
}

test('a turn with very much to say does not hold it all', () => {
  const { log, writes } = createWatched()
  for (let index = 0; index < 100; index += 1) log.info('x'.repeat(1_000))
  assert.equal(writes.length, 1)
})

const ends = { 'process.exit': 'process.exit(7)', 'an error that nothing catches': 'throw new Error("a bug")' }
for (const [how, end] of Object.entries(ends)) {
  test(`what was said in the turn in which ${how} ends the process is written`, () => {
    const source = JSON.stringify(new URL('../../src/runtime/log.ts', import.meta.url).href)
    const script = `import { createLog } from ${source}; const log = await createLog('info', 'json'); log.info({}, 'the last line'); ${end}`
    const { stderr, status } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
      encoding: 'utf8',
    })
    assert.match(stderr, /"msg":"the last line"/)
    assert.notEqual(status, 0)
  })
}
