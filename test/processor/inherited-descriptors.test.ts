import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { temporaryFolder } from './functions.ts'

const skip = process.platform !== 'linux' && 'only Linux shows the descriptors of a process'

test('a function inherits no descriptor that the server has inherited', { skip }, async (t) => {
  const folder = await temporaryFolder(t, {
    'secret.txt': '',
    'look.mjs': `import { readdirSync, readlinkSync } from 'node:fs'
    export const handler = () => {
      const links = readdirSync('/proc/self/fd').map((name) => {
        try { return readlinkSync('/proc/self/fd/' + name) } catch { return 'gone' }
      })
      console.log(links.length > 3 && !links.some((link) => link.endsWith('secret.txt')))
    }`,
  })
  const source = (path: string) => JSON.stringify(new URL(path, import.meta.url).href)
  const server = `
    import { createFunctionTarget } from ${source('../../src/processor/function-target.ts')}
    import { systemClock } from ${source('../../src/runtime/clock.ts')}
    import { functionArn, processorEvent, RecordingLog } from ${source('functions.ts')}
    const log = new RecordingLog()
    const folder = ${JSON.stringify(folder)}
    const options = { folder, processesMax: 1, environment: () => ({}), clock: systemClock, log, newId: () => crypto.randomUUID() }
    const target = createFunctionTarget(options)
    const { result } = await target.invoke('look', functionArn('look'), processorEvent('m'), () => {})
    console.log(result, ...log.texts('info'))
    await target.close()`
  const secret = openSync(join(folder, 'secret.txt'), 'r')
  t.after(() => closeSync(secret))
  // Those between stay free, so that Node itself does not find the last one.
  const stdio = ['ignore', 'pipe', 'inherit', ...Array(37).fill('ignore'), secret]
  const child = spawn(process.execPath, ['--input-type=module', '-e', server], { stdio })
  const exited = once(child, 'exit')
  t.after(async () => {
    child.kill('SIGKILL')
    await exited
  })
  assert.equal(await text(child.stdout!), 'completed true\n')
})
