import assert from 'node:assert/strict'
import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { devNull } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { ManualClock } from '../support/manual-clock.ts'
import { openGate, startFunctions, writeFiles } from './functions.ts'

const completed = { result: 'completed', handedOver: 1 }

describe('a local function is', { concurrency: 4 }, () => {
  const esModule = "export const handler = async (event) => console.log('saw', event.ChannelMessage.MessageId)"
  const commonJs = "exports.handler = async (event) => console.log('saw', event.ChannelMessage.MessageId)"
  const kinds = {
    'NAME.mjs': { 'redact.mjs': esModule },
    'NAME.js as an ES module': { 'redact.js': esModule },
    'NAME.js as CommonJS': { 'redact.js': commonJs },
    'NAME.js of a package that says "module"': { 'redact.js': esModule, 'package.json': '{ "type": "module" }' },
    'NAME.cjs': { 'redact.cjs': commonJs },
    'NAME.cjs with exports that Node cannot foresee': {
      'redact.cjs': `Object.assign(module.exports, { ['hand' + 'ler']: (() => { ${commonJs}; return exports.handler })() })`,
    },
    'NAME.ts': { 'redact.ts': esModule.replace('(event)', '(event: { ChannelMessage: { MessageId: string } })') },
    'NAME/index.mjs': { 'redact/index.mjs': esModule },
    'NAME/index.js': { 'redact/index.js': commonJs },
    'NAME/index.ts': { 'redact/index.ts': esModule.replace('(event)', '(event: any): Promise<void>') },
    'what NAME/function.json says': {
      'redact/function.json': '{ "handler": "src/app.entry.run" }',
      'redact/src/app.mjs': `export const entry = { run: ${esModule.split(' = ')[1]} }`,
    },
    'NAME/index.mjs beside a NAME/function.json without a handler': {
      'redact/function.json': '{}',
      'redact/index.mjs': esModule,
    },
  }
  for (const [kind, files] of Object.entries(kinds)) {
    test(kind, async (t) => {
      const { invoke, log } = await startFunctions(t, files)
      assert.deepEqual(await invoke('redact', 'm-1'), completed)
      assert.deepEqual(log.texts('info'), ['saw m-1'])
      assert.deepEqual(log.texts('warn'), [])
    })
  }

  test('found by its name with dots in it', async (t) => {
    const { invoke, log } = await startFunctions(t, {
      'redact.v2.mjs': "export const handler = () => console.log('two')",
    })
    assert.deepEqual(await invoke('redact.v2'), completed)
    assert.deepEqual(log.texts('info'), ['two'])
  })
})

describe('a handler', { concurrency: 4 }, () => {
  test('gets the context that AWS gives it', async (t) => {
    const { invoke, log } = await startFunctions(t, {
      'redact.mjs': `export const handler = async (event, context) => {
        const leftMs = context.getRemainingTimeInMillis()
        console.log(JSON.stringify({ ...context, inTime: leftMs > 20_000 && leftMs <= 30_000 }))
        console.log(process.env._X_AMZN_TRACE_ID)
      }`,
    })
    assert.deepEqual(await invoke('redact'), completed)
    const [context = '', trace = ''] = log.texts('info')
    assert.deepEqual(JSON.parse(context), {
      awsRequestId: log.lines.find((line) => line.level === 'info')?.fields.awsRequestId,
      callbackWaitsForEmptyEventLoop: true,
      functionName: 'redact',
      functionVersion: '$LATEST',
      invokedFunctionArn: 'arn:aws:lambda:us-east-1:111122223333:function:redact',
      memoryLimitInMB: '1024',
      logGroupName: '/aws/lambda/redact',
      logStreamName: '[$LATEST]',
      inTime: true,
    })
    assert.match(trace, /^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Sampled=0$/)
  })

  test('is used again for the next event, in the same process', async (t) => {
    const { invoke, log } = await startFunctions(t, {
      'count.mjs': 'let count = 0; export const handler = async () => console.log(++count)',
    })
    for (let time = 0; time < 3; time++) assert.deepEqual(await invoke('count'), completed)
    assert.deepEqual(log.texts('info'), ['1', '2', '3'])
  })

  test('that calls back has ended when it has nothing left to do', async (t) => {
    const { invoke, log } = await startFunctions(t, {
      'late.cjs': `exports.handler = (event, context, callback) => {
        setTimeout(() => console.log('afterwards'), 20)
        callback(null, 'result')
      }`,
    })
    assert.deepEqual(await invoke('late'), completed)
    assert.deepEqual(log.texts('info'), ['afterwards'])
  })

  test('that calls back need not wait, if it says so or uses the older ways', async (t) => {
    const forever = 'setInterval(() => {}, 1000)'
    const { invoke } = await startFunctions(t, {
      'now.cjs': `exports.handler = (event, context, callback) => {
        ${forever}
        context.callbackWaitsForEmptyEventLoop = false
        callback()
      }`,
      'done.cjs': `exports.handler = (event, context) => { ${forever}; context.done(null, 1) }`,
      'succeed.cjs': `exports.handler = (event, context) => { ${forever}; context.succeed(1) }`,
      'fail.cjs': `exports.handler = (event, context) => { ${forever}; context.fail(new Error('no')) }`,
    })
    assert.deepEqual(await invoke('now'), completed)
    assert.deepEqual(await invoke('done'), completed)
    assert.deepEqual(await invoke('succeed'), completed)
    assert.deepEqual(await invoke('fail'), { result: 'crashed', reason: 'Error', handedOver: 1 })
  })

  test('that neither calls back nor gives a promise has ended when it has nothing left to do', async (t) => {
    const { invoke, log } = await startFunctions(t, {
      'plain.cjs': "exports.handler = () => { setTimeout(() => console.log('afterwards'), 20) }",
    })
    assert.deepEqual(await invoke('plain'), completed)
    assert.deepEqual(log.texts('info'), ['afterwards'])
  })

  test('that calls back a second time does not disturb the next event', async (t) => {
    const { invoke } = await startFunctions(t, {
      'twice.cjs': `let earlier
      exports.handler = async (event, context, callback) => {
        earlier?.(new Error('an old one'))
        earlier = callback
        await new Promise((resolve) => setTimeout(resolve, 5))
      }`,
    })
    for (let time = 0; time < 3; time++) assert.deepEqual(await invoke('twice'), completed)
  })

  test('that reports its event by itself gets the next one, in the same process', async (t) => {
    const { invoke, log } = await startFunctions(t, {
      'redact.mjs': `export const handler = async (event, { awsRequestId }) => {
        const runtime = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API + '/2018-06-01/runtime'
        const answer = await fetch(runtime + '/invocation/' + awsRequestId + '/response', { method: 'POST' })
        console.log(process.pid, answer.status)
      }`,
    })
    for (const message of ['m-1', 'm-2', 'm-3']) assert.deepEqual(await invoke('redact', message), completed)
    const [first] = log.texts('info')
    assert.match(String(first), /^\d+ 202$/)
    assert.deepEqual(log.texts('info'), [first, first, first])
  })

  test('may return anything', async (t) => {
    const { invoke } = await startFunctions(t, { 'any.mjs': 'export const handler = async () => ({ n: 1n, process })' })
    assert.deepEqual(await invoke('any'), completed)
  })
})

describe('the environment of a function', () => {
  test("holds what AWS's does and what function.json adds, and nothing of the server's", async (t) => {
    process.env.CARILLON_TEST_SECRET = 'of the server'
    t.after(() => delete process.env.CARILLON_TEST_SECRET)
    const { invoke, log, folder } = await startFunctions(t, {
      'redact/index.mjs': 'export const handler = () => console.log(JSON.stringify([process.cwd(), process.env]))',
      'redact/function.json': JSON.stringify({
        environment: { TABLE: 'words', TZ: 'Europe/Berlin', AWS_LAMBDA_RUNTIME_API: 'elsewhere' },
      }),
    })
    assert.deepEqual(await invoke('redact'), completed)
    const [cwd, environment] = JSON.parse(log.texts('info')[0] ?? '')
    const { PATH, HOME, TMPDIR, AWS_LAMBDA_RUNTIME_API, _X_AMZN_TRACE_ID, ...rest } = environment
    assert.ok(PATH && HOME && TMPDIR && _X_AMZN_TRACE_ID)
    assert.notEqual(HOME, process.env.HOME)
    assert.match(AWS_LAMBDA_RUNTIME_API, /^127\.0\.0\.1:\d+\/[0-9a-f-]{36}$/)
    assert.equal(cwd, join(folder, 'redact'))
    assert.deepEqual(rest, {
      LANG: 'en_US.UTF-8',
      TZ: 'Europe/Berlin',
      TABLE: 'words',
      NODE_PATH: '/opt/nodejs/node_modules',
      LAMBDA_TASK_ROOT: join(folder, 'redact'),
      _HANDLER: 'index.handler',
      AWS_CONFIG_FILE: devNull,
      AWS_SHARED_CREDENTIALS_FILE: devNull,
      AWS_REGION: 'eu-central-1',
      AWS_DEFAULT_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKIDFUNCTION',
      AWS_SECRET_ACCESS_KEY: 'function-secret',
      AWS_SESSION_TOKEN: 'token',
      AWS_ENDPOINT_URL_CHIME_SDK_MESSAGING: 'http://127.0.0.1:4001',
      AWS_ENDPOINT_URL_CHIME_SDK_IDENTITY: 'http://127.0.0.1:4002',
      AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${process.versions.node.split('.')[0]}.x`,
      AWS_LAMBDA_FUNCTION_NAME: 'redact',
      AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '1024',
      AWS_LAMBDA_LOG_GROUP_NAME: '/aws/lambda/redact',
      AWS_LAMBDA_LOG_STREAM_NAME: '[$LATEST]',
    })
  })
})

describe('what a function prints', () => {
  test('is logged as it is written, with the message it worked on', async (t) => {
    const { invoke, log } = await startFunctions(t, {
      'talk.mjs': `console.log('loading')
      export const handler = async (event) => {
        console.log('first\\nsecond é\\r\\n\\nfourth')
        console.log({ words: ['x'.repeat(80), 'y'.repeat(80)] })
        process.stdout.write(Buffer.from('bytes\\n'))
        process.stdout.write(event.ChannelMessage.MessageId)
        console.error('trouble')
      }`,
    })
    await invoke('talk', 'm-1')
    await invoke('talk', 'm-2')
    const said = log.lines.filter((line) => line.level !== 'debug')
    const of = (messageId: string) => said.filter((line) => line.fields.messageId === messageId)
    const texts = (messageId: string, level: string) =>
      of(messageId).flatMap((line) => (line.level === level ? [line.text] : []))
    const words = `{\n  words: [\n    '${'x'.repeat(80)}',\n    '${'y'.repeat(80)}'\n  ]\n}`
    assert.deepEqual(texts('m-1', 'info'), ['loading', 'first\nsecond é\n\nfourth', words, 'bytes', 'm-1'])
    assert.deepEqual(texts('m-1', 'warn'), ['trouble'])
    assert.deepEqual(texts('m-2', 'info'), ['first\nsecond é\n\nfourth', words, 'bytes', 'm-2'])
    assert.ok(said.every((line) => line.fields.functionName === 'talk'))
    assert.equal(new Set(of('m-1').map((line) => line.fields.awsRequestId)).size, 1)
    assert.notEqual(of('m-1')[0]?.fields.awsRequestId, of('m-2')[0]?.fields.awsRequestId)
  })

  test('is one entry for an error, whoever prints it', async (t) => {
    const { invoke, log } = await startFunctions(t, {
      'thrown.mjs': "export const handler = async () => { throw new Error('thrown') }",
      'uncaught.mjs': `export const handler = () => new Promise(() => setTimeout(() => { throw new Error('uncaught') }))`,
      'syntax.mjs': 'export const handler = async () => {\n  words.push( }',
    })
    for (const name of ['thrown', 'uncaught', 'syntax']) await invoke(name)
    const [thrown = '', uncaught = '', syntax = '', ...others] = log.texts('warn')
    assert.deepEqual(others, [])
    assert.match(thrown, /^Error: thrown\n +at handler/)
    assert.match(uncaught, /^Error: uncaught\n +at .*uncaught\.mjs:1/)
    assert.match(syntax, /syntax\.mjs:2\n.*\n\nSyntaxError: .*\n\nNode\.js v/s)
  })

  test('is logged also where a process that it starts writes it', async (t) => {
    const { invoke, log } = await startFunctions(t, {
      'shell.mjs': `import { execFileSync } from 'node:child_process'
      export const handler = () => { execFileSync('echo', ['one\\ntwo'], { stdio: 'inherit' }) }`,
    })
    await invoke('shell')
    assert.deepEqual(log.texts('info'), ['one\ntwo'])
  })

  test('is all there when the event is done, however much it is', async (t) => {
    const { invoke, log } = await startFunctions(t, {
      'much.mjs': `export const handler = async () => {
        for (let line = 1; line <= 900; line++) console.log(line + 'x'.repeat(5000))
      }`,
    })
    await invoke('much')
    assert.equal(log.texts('info').length, 900)
  })

  test('is cut where a line is too long, goes on where an entry is, and ends where there are too many', async (t) => {
    const { invoke, log } = await startFunctions(t, {
      'flood.mjs': `export const handler = async () => {
        console.log('x'.repeat(100_000))
        console.log(Array(4).fill('y'.repeat(8_000)).join('\\n'))
        for (let entry = 4; entry <= 2000; entry++) console.log('entry', entry)
      }`,
    })
    await invoke('flood')
    assert.equal(log.texts('info')[0], 'x'.repeat(16_384))
    const two = Array(2).fill('y'.repeat(8_000)).join('\n')
    assert.deepEqual(log.texts('info').slice(1, 4), [two, two, 'entry 4'])
    assert.equal(log.texts('info').length, 1000)
    assert.deepEqual(log.texts('warn'), ['more than 1000 entries: the rest is not logged'])
  })

  test('up to a limit, for control characters that make many pieces of nothing', async (t) => {
    const { invoke, log } = await startFunctions(t, {
      'marks.mjs': `export const handler = () => {
        process.stdout.write('\\x02'.repeat(30_000))
        console.log('last')
      }`,
    })
    assert.equal((await invoke('marks')).result, 'completed')
    assert.deepEqual(log.texts('info'), [])
    assert.deepEqual(log.texts('warn'), ['more than 20000 pieces of output: the rest is not logged'])
  })
})

describe('a change is seen by the next event', () => {
  const says = (text: string) => `export const handler = () => console.log('${text}')`

  test('of the file itself, even to a text of the same length', async (t) => {
    const { invoke, log, write } = await startFunctions(t, { 'redact.mjs': says('one') })
    await invoke('redact')
    await write('redact.mjs', says('two'))
    await invoke('redact')
    assert.deepEqual(log.texts('info'), ['one', 'two'])
  })

  test('of a file that it imports', async (t) => {
    const { invoke, log, write } = await startFunctions(t, {
      'redact.mjs': "import { word } from './lib/word.mjs'; export const handler = () => console.log(word)",
      'lib/word.mjs': "export const word = 'one'",
    })
    await invoke('redact')
    await write('lib/word.mjs', "export const word = 'two'")
    await invoke('redact')
    assert.deepEqual(log.texts('info'), ['one', 'two'])
  })

  test('of function.json', async (t) => {
    const { invoke, log, write } = await startFunctions(t, {
      'redact/index.mjs': 'export const handler = () => console.log(process.env.WORD)',
    })
    await invoke('redact')
    await write('redact/function.json', '{ "environment": { "WORD": "two" } }')
    await invoke('redact')
    assert.deepEqual(log.texts('info'), ['undefined', 'two'])
  })

  test('when a function is added, and when it is mended', async (t) => {
    const { invoke, log, write } = await startFunctions(t, {})
    assert.equal((await invoke('redact')).result, 'unreached')
    await write('redact.mjs', 'export const handler = (')
    assert.equal((await invoke('redact')).result, 'crashed')
    await write('redact.mjs', says('mended'))
    assert.deepEqual(await invoke('redact'), completed)
    assert.deepEqual(log.texts('info'), ['mended'])
  })
})

describe('the folder', () => {
  test('is not looked at for an event, however many files are in it', async (t) => {
    const others = Array.from({ length: 400 }, (_, index) => [`f${index}/index.mjs`, ''])
    const files = { ...Object.fromEntries(others), 'redact.mjs': 'export const handler = () => {}' }
    const { invoke, target } = await startFunctions(t, files, { clock: new ManualClock() })
    await target.opened
    assert.deepEqual(await invoke('redact'), completed)
    const looks = (['stat', 'lstat', 'readdir', 'readFile'] as const).map((name) => t.mock.method(fs, name))
    const restore = () => {
      t.mock.restoreAll()
      syncBuiltinESMExports()
    }
    t.after(restore)
    syncBuiltinESMExports()
    for (let event = 0; event < 50; event++) assert.deepEqual(await invoke('redact'), completed)
    assert.deepEqual(
      looks.map((look) => look.mock.callCount()),
      [0, 0, 0, 0],
    )
  })

  test('is looked at once more for a function that was added just now', async (t) => {
    const { invoke, folder, target } = await startFunctions(t, {})
    await target.opened
    for (const name of ['one', 'two', 'three']) {
      await writeFiles(folder, { [`${name}/index.mjs`]: 'export const handler = () => {}' })
      assert.deepEqual(await invoke(name), completed)
    }
  })
})

test('a name that is looked for while the server closes is not missing', async (t) => {
  const { invoke, target } = await startFunctions(t, {})
  await target.opened
  const handOff = invoke('redact')
  await target.close()
  const reason = 'the server is closing'
  assert.deepEqual(await handOff, { result: 'deferred', reason, cause: 'closing', handedOver: 0 })
})

describe('several events at once', () => {
  test('have a process each, as many as function.json says', async (t) => {
    const gate = await openGate(t)
    const { invoke, target, log } = await startFunctions(t, {
      'slow/index.mjs': gate.handler,
      'slow/function.json': '{ "concurrency": 2 }',
    })
    await target.opened
    assert.equal(target.freePlaces('slow'), 2)
    const outcomes = ['a', 'b'].map((messageId) => invoke('slow', messageId))
    assert.equal(target.freePlaces('slow'), 0)
    const one = await invoke('slow', 'c')
    assert.deepEqual(one, {
      result: 'deferred',
      reason: 'no place is free for function slow',
      cause: 'processes',
      handedOver: 0,
    })
    const first = await gate.arrivals(2)
    assert.equal(new Set(first.map((arrival) => arrival.name)).size, 2)
    first[0]?.release()
    assert.deepEqual(await Promise.race(outcomes), completed)
    assert.equal(target.freePlaces('slow'), 1)
    const again = invoke('slow', 'd')
    const [fourth] = await gate.arrivals(1)
    assert.equal(fourth?.name, first[0]?.name)
    for (const arrival of [...first, fourth]) arrival?.release()
    assert.deepEqual(await Promise.all([...outcomes, again]), Array(3).fill(completed))
    assert.equal(log.texts('debug').filter((text) => text.includes('started')).length, 2)
  })

  test('are eight of one function, unless it says otherwise', async (t) => {
    const { target } = await startFunctions(t, { 'redact.mjs': 'export const handler = () => {}' })
    assert.equal(target.freePlaces('redact'), 0, 'before the folder is read')
    await target.opened
    assert.equal(target.freePlaces('redact'), 8)
    assert.equal(target.freePlaces('nowhere'), 8)
  })

  test('of more functions than there are places: idle processes make room, and there are never too many', async (t) => {
    const functions = ['a', 'b', 'c'].map((name) => [`${name}.mjs`, 'export const handler = () => {}'])
    const { invoke, target, log } = await startFunctions(t, Object.fromEntries(functions), { processesMax: 2 })
    await target.opened
    for (const name of ['a', 'b', 'c', 'a']) {
      assert.equal(target.freePlaces(name), 2)
      assert.deepEqual(await invoke(name), completed)
    }
    let alive = 0
    for (const text of log.texts('debug')) {
      if (text === 'function process started') alive += 1
      if (text.startsWith('function process ended')) alive -= 1
      assert.ok(alive <= 2, `${alive} processes`)
    }
    assert.equal(log.texts('debug').filter((text) => text.endsWith('it makes room for another')).length, 2)
  })

  test('of another function do not wait', async (t) => {
    const gate = await openGate(t)
    const { invoke } = await startFunctions(t, {
      'slow.mjs': gate.handler,
      'quick.mjs': 'export const handler = () => {}',
    })
    const slow = ['a', 'b', 'c', 'd'].map((messageId) => invoke('slow', messageId))
    const arrivals = await gate.arrivals(4)
    assert.deepEqual(await invoke('quick'), completed)
    for (const arrival of arrivals) arrival.release()
    assert.deepEqual(await Promise.all(slow), Array(4).fill(completed))
  })

  test('do not run two versions: who is at work may end, and its process is not used again', async (t) => {
    const gate = await openGate(t)
    const { invoke, write, log } = await startFunctions(t, { 'slow.mjs': gate.handler })
    const old = invoke('slow')
    const [arrival] = await gate.arrivals(1)
    await write('slow.mjs', "export const handler = () => console.log('new')")
    assert.deepEqual(await invoke('slow'), completed)
    arrival?.release()
    assert.deepEqual(await old, completed)
    await invoke('slow')
    assert.deepEqual(log.texts('info'), ['new', 'new'])
  })
})

test('an idle process ends after a minute', async (t) => {
  const clock = new ManualClock()
  const { invoke, log } = await startFunctions(t, { 'redact.mjs': 'export const handler = () => {}' }, { clock })
  await invoke('redact')
  clock.advance(60_000 - 1)
  assert.deepEqual(await invoke('redact'), completed)
  clock.advance(60_000)
  await log.waitFor('function process ended: idle for 60000 ms')
  assert.deepEqual(await invoke('redact'), completed)
  assert.equal(log.texts('debug').filter((text) => text.includes('started')).length, 2)
})
