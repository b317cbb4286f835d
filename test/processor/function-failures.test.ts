import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { createFunctionTarget } from '../../src/processor/function-target.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { functionArn, openGate, processorEvent, startFunctions, temporaryFolder, writeFiles } from './functions.ts'

const completed = { result: 'completed', handedOver: 1 }
const crashed = (reason: string) => ({ result: 'crashed', reason, handedOver: 1 })

/** Fails for the message that says so, and works for the others. */
const failing = (code: string) => `export const handler = async (event) => {
  if (event.ChannelMessage.MessageId === 'bad') ${code}
}`

describe('a handler that fails has had the event, and the next event is served, when it', { concurrency: 4 }, () => {
  const failures = {
    throws: ["throw new TypeError('no such word')", 'TypeError'],
    'throws what is no error': ["throw 'a text'", 'string'],
    'throws nothing': ['throw undefined', 'undefined'],
    'throws an error that has a code': [
      "await (await import('node:fs/promises')).readFile('/no/such')",
      'Error ENOENT',
    ],
    'throws an error whose cause has a code': ["await fetch('http://127.0.0.1:2')", 'TypeError ECONNREFUSED'],
    'throws an error whose code is a text': ["throw Object.assign(new Error(), { code: 'a secret text' })", 'Error'],
    rejects: ["await Promise.reject(new RangeError('too far'))", 'RangeError'],
    exits: ['process.exit(0)', 'its process exited with code 0'],
    'is killed': [
      "{ process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}) }",
      'its process was ended by SIGKILL',
    ],
    aborts: ['process.abort()', 'its process was ended by SIGABRT'],
    'waits for what never comes': ['await new Promise(() => {})', 'UnsettledPromise'],
    'throws in a timer': ["await new Promise(() => setTimeout(() => { throw new Error('in a timer') }))", 'Error'],
    'rejects where nobody looks': [
      "{ Promise.reject(new Error('unseen')); await new Promise((resolve) => setTimeout(resolve, 1000)) }",
      'Error',
    ],
  } as const
  for (const [kind, [code, reason]] of Object.entries(failures)) {
    test(kind, async (t) => {
      const { invoke } = await startFunctions(t, { 'redact.mjs': failing(code) })
      assert.deepEqual(await invoke('redact', 'bad'), crashed(reason))
      assert.deepEqual(await invoke('redact', 'good'), completed)
    })
  }

  test('calls back with an error', async (t) => {
    const { invoke } = await startFunctions(t, {
      'redact.cjs': "exports.handler = (event, context, callback) => callback(new Error('called back'))",
    })
    assert.deepEqual(await invoke('redact'), crashed('Error'))
  })

  test('has an error with a long name, which is cut', async (t) => {
    const { invoke } = await startFunctions(t, {
      'redact.mjs': failing("throw Object.assign(new Error('x'), { name: 'N'.repeat(100_000) })"),
    })
    assert.deepEqual(await invoke('redact', 'bad'), crashed('N'.repeat(1000)))
  })

  test('quotes the message, of which the reason keeps nothing', async (t) => {
    const { invoke } = await startFunctions(t, {
      'redact.mjs': failing('throw new Error(event.ChannelMessage.Content)'),
    })
    assert.deepEqual(await invoke('redact', 'bad'), crashed('Error'))
  })
})

test('an error is logged with the place it comes from, and with the message', async (t) => {
  const { invoke, log } = await startFunctions(t, { 'redact.mjs': failing("throw new Error('no such word')") })
  await invoke('redact', 'bad')
  const warnings = log.lines.filter((line) => line.level === 'warn')
  assert.match(warnings.map((line) => line.text).join('\n'), /Error: no such word\n.*redact\.mjs:2/)
  assert.ok(warnings.every((line) => line.fields.messageId === 'bad'))
})

describe('a function that cannot be loaded counts as having had the event when', { concurrency: 4 }, () => {
  test('its syntax is wrong, and the log shows where', async (t) => {
    const { invoke, log, folder } = await startFunctions(t, {
      'redact.mjs': 'const words = []\nexport const handler = async () => { words.push( }',
    })
    const reason = `${join(folder, 'redact.mjs')}: SyntaxError: Unexpected token '}'`
    assert.deepEqual(await invoke('redact', 'm-1'), crashed(reason))
    assert.match(log.texts('warn').join('\n'), /redact\.mjs:2\nexport const handler/)
    assert.ok(log.lines.every((line) => line.level === 'debug' || line.fields.messageId === 'm-1'))
  })

  const files = {
    'it throws': ["throw new Error('no table')", 'Error: no table'],
    'it imports what is not there': [
      "import './gone.mjs'",
      /^Error ERR_MODULE_NOT_FOUND: Cannot find module .*gone\.mjs/,
    ],
    'it exports no handler': [
      'export const handle = () => {}, other = 1',
      'TypeError: it exports no function "handler", but handle, other',
    ],
    'its handler is no function': [
      'export const handler = 1',
      'TypeError: it exports no function "handler", but handler',
    ],
    'it exits': ['process.exit(3)', 'its process exited with code 3'],
    'it waits for what never comes': ['await new Promise(() => {})', 'its process exited with code 13'],
  } as const
  for (const [kind, [code, expected]] of Object.entries(files)) {
    test(kind, async (t) => {
      const { invoke, folder } = await startFunctions(t, { 'redact.mjs': code })
      const { reason, ...rest } = { reason: '', ...(await invoke('redact')) }
      assert.deepEqual(rest, { result: 'crashed', handedOver: 1 })
      const failure = reason.replace(`${join(folder, 'redact.mjs')}: `, '')
      if (typeof expected === 'string') assert.equal(failure, expected)
      else assert.match(failure, expected)
    })
  }

  test('it loops for ever', async (t) => {
    const clock = new ManualClock()
    const { invoke, log } = await startFunctions(t, { 'redact.mjs': "console.log('loading'); for (;;);" }, { clock })
    const outcome = invoke('redact')
    await log.waitFor('loading')
    clock.advance(10_000)
    assert.deepEqual(await outcome, crashed('did not load within 10000 ms'))
  })

  test('its environment is more than the system allows, or such that Node does not start', async (t) => {
    const withEnvironment = (environment: object) => JSON.stringify({ environment })
    const { invoke, folder } = await startFunctions(t, {
      'large/index.mjs': 'export const handler = () => {}',
      'large/function.json': withEnvironment({ TOO_LARGE: 'x'.repeat(4_000_000) }),
      'options/index.mjs': 'export const handler = () => {}',
      'options/function.json': withEnvironment({ NODE_OPTIONS: '--no-such-option' }),
    })
    const file = (name: string) => join(folder, name, 'index.mjs')
    assert.deepEqual(await invoke('large'), crashed(`${file('large')}: its environment is too large: spawn E2BIG`))
    const { reason, ...rest } = { reason: '', ...(await invoke('options')) }
    assert.deepEqual(rest, { result: 'crashed', handedOver: 1 })
    assert.match(
      reason,
      /index\.mjs: its process exited with code 9 before it had started: .*--no-such-option.* \(function\.json sets NODE_OPTIONS\)$/,
    )
  })

  test('function.json is wrong', async (t) => {
    const { invoke, folder } = await startFunctions(t, {
      'redact/function.json': '{ "timeoutMs": "1 s" }',
      'lost/function.json': '{ "handler": "src/app.handler" }',
    })
    const file = (name: string) => join(folder, name, 'function.json')
    const wrong = '"timeoutMs" must be a whole number from 1 to 900000'
    assert.deepEqual(await invoke('redact'), crashed(`${file('redact')}: ${wrong}`))
    const lookedFor = 'src/app.mjs, src/app.js, src/app.cjs, src/app.ts'
    const lost = `no file for the handler src/app.handler (looked for ${lookedFor})`
    assert.deepEqual(await invoke('lost'), crashed(`${file('lost')}: ${lost}`))
  })
})

describe('an endless loop is ended after timeoutMs', () => {
  const loop = "console.log('looping'); for (;;);"
  const json = { 'loop/function.json': '{ "timeoutMs": 300 }' }

  test('while another function works', async (t) => {
    const clock = new ManualClock()
    const quick = { 'quick.mjs': 'export const handler = () => {}' }
    const { invoke, log } = await startFunctions(
      t,
      { ...json, ...quick, 'loop/index.mjs': failing(`{ ${loop} }`) },
      { clock },
    )
    const looping = invoke('loop', 'bad')
    await log.waitFor('looping')
    assert.deepEqual(await invoke('quick'), completed)
    clock.advance(300)
    assert.deepEqual(await looping, crashed('timed out after 300 ms'))
    assert.deepEqual(await invoke('loop', 'good'), completed)
  })

  test('by the clock of the system', async (t) => {
    const { invoke } = await startFunctions(t, { ...json, 'loop/index.mjs': failing(`{ ${loop} }`) })
    assert.deepEqual(await invoke('loop', 'bad'), crashed('timed out after 300 ms'))
  })

  test('also when it began after the event had been dealt with', async (t) => {
    const clock = new ManualClock()
    const code = `export const handler = async (event, { awsRequestId }) => {
      const runtime = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime'
      await fetch(runtime + '/invocation/' + awsRequestId + '/response', { method: 'POST' })
      ${loop}
    }`
    const { invoke, log } = await startFunctions(t, { ...json, 'loop/index.mjs': code }, { clock })
    const looping = invoke('loop')
    await log.waitFor('looping')
    clock.advance(300)
    assert.deepEqual(await looping, completed)
  })

  test('also when it began between two events, of which the second is lost', async (t) => {
    const clock = new ManualClock()
    const gate = await openGate(t)
    const code = `export const handler = (event) => {
      if (event.ChannelMessage.MessageId === 'first') fetch('${gate.url}').then(() => { ${loop} })
      return Promise.resolve()
    }`
    const { invoke, target, log } = await startFunctions(t, { ...json, 'loop/index.mjs': code }, { clock })
    assert.deepEqual(await invoke('loop', 'first'), completed)
    for (const { release } of await gate.arrivals(1)) release()
    await log.waitFor('looping')
    const handedOver = Promise.withResolvers<void>()
    const second = target.invoke('loop', functionArn('loop'), processorEvent('second'), handedOver.resolve)
    await handedOver.promise
    clock.advance(300)
    assert.deepEqual(await second, { result: 'crashed', reason: 'timed out after 300 ms' })
  })
})

test('a function is not to blame for a server that stands still', async (t) => {
  const { target } = await startFunctions(t, {
    'quick/index.mjs': 'export const handler = () => {}',
    'quick/function.json': '{ "timeoutMs": 1000 }',
  })
  const standStill = () => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3_000)
  const outcome = await target.invoke('quick', functionArn('quick'), processorEvent('m'), standStill)
  assert.deepEqual(outcome, { result: 'completed' })
})

test('a process that reports again and again that it is broken gets no more time', { timeout: 60_000 }, async (t) => {
  const gate = await openGate(t)
  const clock = new ManualClock()
  const report = `await fetch('http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime/init/error', {
    method: 'POST',
    body: JSON.stringify({ errorType: 'E', errorMessage: 'm' }),
  })`
  const code = `for (;;) { ${report}; await fetch('${gate.url}/broken') }`
  const { invoke, folder } = await startFunctions(t, { 'broken.mjs': code }, { clock })
  const outcome = invoke('broken')
  for (let times = 0; times < 2; times++) {
    const [arrival] = await gate.arrivals(1)
    clock.advance(600)
    arrival?.release()
  }
  assert.deepEqual(await outcome, crashed(`${join(folder, 'broken.mjs')}: E: m`))
})

test('an error between two events ends the process, and costs no event', async (t) => {
  const gate = await openGate(t)
  const { invoke, log } = await startFunctions(t, {
    'redact.mjs': `export const handler = async (event) => {
      if (event.ChannelMessage.MessageId === 'first') fetch('${gate.url}').then(() => { throw new Error('too late') })
    }`,
  })
  assert.deepEqual(await invoke('redact', 'first'), completed)
  for (const { release } of await gate.arrivals(1)) release()
  await log.waitFor('Error: too late')
  assert.deepEqual(await invoke('redact', 'second'), completed)
})

test('a process that a function starts does not outlive it', async (t) => {
  const gate = await openGate(t)
  const { invoke } = await startFunctions(t, {
    'parent.mjs': `import { spawn } from 'node:child_process'
    export const handler = async () => {
      spawn(process.execPath, [import.meta.dirname + '/grandchild.mjs'], { stdio: 'inherit' })
      await fetch('${gate.url}/parent')
      process.exit(1)
    }`,
    'grandchild.mjs': `await fetch('${gate.url}/grandchild')`,
  })
  const outcome = invoke('parent')
  const arrivals = await gate.arrivals(2)
  arrivals.find((arrival) => arrival.name === 'parent')?.release()
  assert.deepEqual(await outcome, crashed('its process exited with code 1'))
  await arrivals.find((arrival) => arrival.name === 'grandchild')?.gone
})

describe('an event does not reach a function', () => {
  const unreached = (reason: string, permanent: boolean) => ({ result: 'unreached', reason, permanent, handedOver: 0 })

  test('that is not there', async (t) => {
    const { invoke, folder } = await startFunctions(t, {
      'redact.txt': '',
      'redact/readme.md': '',
      'lib.mjs/a.txt': '',
    })
    const names = 'redact.mjs, redact.js, redact.cjs, redact.ts, redact/index.* and redact/function.json'
    const reason = `no function redact in ${folder} (looked for ${names})`
    assert.deepEqual(await invoke('redact'), unreached(reason, true))
    assert.equal((await invoke('lib')).result, 'unreached')
  })

  test('whose name leads out of the folder, or to a hidden place', async (t) => {
    const parent = await temporaryFolder(t)
    const handler = 'export const handler = () => {}'
    const hidden = ['index.mjs', '.mjs', 'functions/index.mjs', 'functions/.hidden.mjs', 'functions/.git/index.mjs']
    await writeFiles(parent, Object.fromEntries(hidden.map((path) => [path, handler])))
    await writeFiles(parent, { 'functions/sub/redact.mjs': handler, 'functions/redact.mjs': handler })
    const target = createFunctionTarget({
      folder: join(parent, 'functions'),
      processesMax: 32,
      environment: () => assert.fail('nothing is started'),
      clock: systemClock,
      log: silentLog,
      newId: () => 'id',
    })
    t.after(() => target.close())
    for (const name of ['..', '.', '', '.hidden', '.git', '../index', 'sub/redact', 'sub\\redact', 'redact\0', 'é']) {
      const handOff = await target.invoke(name, functionArn(name), processorEvent('m'), () => assert.fail())
      assert.ok(handOff.result === 'unreached' && handOff.permanent, name)
    }
  })

  test('in a folder that is not there', async (t) => {
    const folder = join(await temporaryFolder(t, { file: '' }), 'functions')
    const environment = () => assert.fail('nothing is started')
    for (const path of [folder, join(dirname(folder), 'file')]) {
      const target = createFunctionTarget({
        folder: path,
        processesMax: 32,
        environment,
        clock: systemClock,
        log: silentLog,
        newId: String,
      })
      t.after(() => target.close())
      const advice = 'create it, or set CARILLON_FUNCTIONS to the folder your functions are in'
      const handOff = await target.invoke('redact', functionArn('redact'), processorEvent('m'), () => assert.fail())
      assert.deepEqual(handOff, {
        result: 'unreached',
        reason: `there is no folder ${path}: ${advice}`,
        permanent: true,
      })
    }
  })

  test('when the server closes, which is no failure of the function', async (t) => {
    const gate = await openGate(t)
    const { invoke, target } = await startFunctions(t, { 'slow.mjs': gate.handler })
    const working = invoke('slow')
    const [arrival] = await gate.arrivals(1)
    const closed = target.close()
    const closing = { result: 'deferred', reason: 'the server is closing', cause: 'closing', handedOver: 0 }
    assert.deepEqual(await invoke('slow'), closing)
    arrival?.release()
    assert.deepEqual(await working, completed)
    await closed
    assert.deepEqual(await invoke('slow'), closing)
  })
})

describe('when the server ends', () => {
  test('by closing, a function at work has two seconds', async (t) => {
    const clock = new ManualClock()
    const gate = await openGate(t)
    const { invoke, target } = await startFunctions(t, { 'slow.mjs': gate.handler }, { clock })
    const outcome = invoke('slow')
    const [arrival] = await gate.arrivals(1)
    const closed = target.close()
    clock.advance(2_000)
    assert.deepEqual(await outcome, crashed('the server is closing'))
    await Promise.all([closed, arrival?.gone])
  })

  const looping = (url: string) => `import { request } from 'node:http'
    export const handler = () => new Promise(() => request('${url}/loop').end(() => { for (;;); }))`
  const functions: Record<string, (gate: Gate) => string> = {
    'its functions end, too': ({ handler }) => handler,
    'one that loops for ever ends, too': ({ url }) => looping(url),
  }
  for (const [what, code] of Object.entries(functions)) {
    test(`by being killed, ${what}`, async (t) => endWithServer(t, code))
  }

  async function endWithServer(t: TestContext, code: (gate: Gate) => string): Promise<void> {
    const gate = await openGate(t)
    const folder = await temporaryFolder(t, { 'slow.mjs': code(gate) })
    const source = (path: string) => JSON.stringify(new URL(`../../src/${path}`, import.meta.url).href)
    const server = `
      import { createFunctionTarget } from ${source('processor/function-target.ts')}
      import { systemClock } from ${source('runtime/clock.ts')}
      import { silentLog } from ${source('runtime/log.ts')}
      const environment = () => ({})
      const folder = ${JSON.stringify(folder)}
      const target = createFunctionTarget({ folder, processesMax: 32, environment, clock: systemClock, log: silentLog, newId: crypto.randomUUID.bind(crypto) })
      target.invoke('slow', 'arn', { ChannelMessage: {} }, () => {})`
    const child = spawn(process.execPath, ['--input-type=module', '-e', server], { stdio: 'inherit' })
    const [arrival] = await gate.arrivals(1)
    child.kill('SIGKILL')
    await Promise.all([once(child, 'exit'), arrival?.gone])
  }
})

type Gate = Awaited<ReturnType<typeof openGate>>
