import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { chmod, copyFile, cp, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, before, describe, type TestContext, test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { type Clock, systemClock } from '../../src/runtime/clock.ts'
import { openDataFolder } from '../../src/runtime/data-folder.ts'
import { carillon } from '../support/carillon.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { unlessPermitted } from '../support/required.ts'
import { setprivRefusal } from '../support/setpriv.ts'
import { type Files, functionArn, openGate, processorEvent, RecordingLog, writeFiles } from './functions.ts'

const skip = unlessPermitted(process.getuid?.() !== 0 && 'only root may run functions as another user')
const source = join(import.meta.dirname, '../../src')
/** Every system has this user. */
const userName = 'nobody'

const startedAsRoot =
  'start it as root, with CAP_SETUID, CAP_SETGID and CAP_KILL, without inheritable or ambient capabilities, or leave the setting away'
/** As the systemd unit says for --functions-user. */
const fewest = ['--no-new-privs', '--bounding-set=-all,+setuid,+setgid,+kill']

const childrenOf = (pid: number) =>
  readdirSync('/proc').filter((name) => {
    try {
      return (
        /^\d+$/.test(name) && readFileSync(`/proc/${name}/stat`, 'latin1').split(') ')[1]?.split(' ')[1] === `${pid}`
      )
    } catch {
      return false
    }
  })

type Target = typeof import('../../src/processor/function-target.ts')
type User = typeof import('../../src/processor/functions-user.ts')
type Search = typeof import('../../src/processor/leftovers.ts')

const isOpenToAll = (path: string): boolean =>
  (statSync(path).mode & 0o005) === 0o005 && (path === dirname(path) || isOpenToAll(dirname(path)))

describe('functions that run as another user', { skip }, () => {
  let place: string
  let server: Target & User & Search
  const ownNode = process.execPath

  /** The code of the server, and Node, where any user may read them: the project may lie in a folder of root's alone. */
  before(async () => {
    place = await mkdtemp(join(tmpdir(), 'functions-user-'))
    await chmod(place, 0o755)
    for (const folder of ['processor', 'runtime'])
      await cp(join(source, folder), join(place, folder), { recursive: true })
    if (!isOpenToAll(process.execPath)) {
      await copyFile(process.execPath, join(place, 'node'))
      process.execPath = join(place, 'node')
    }
    const load = (file: string) => import(pathToFileURL(join(place, 'processor', file)).href)
    const [target, user, search] = await Promise.all(
      ['function-target.ts', 'functions-user.ts', 'leftovers.ts'].map(load),
    )
    server = { ...target, ...user, ...search }
  })
  after(async () => {
    process.execPath = ownNode
    await rm(place, { recursive: true })
  })

  /** As startFunctions, with the user. */
  async function start(t: TestContext, files: Files, clock: Clock = systemClock) {
    const folder = await mkdtemp(join(place, 'functions-'))
    await chmod(folder, 0o755)
    await writeFiles(folder, files)
    const user = await server.findFunctionsUser(userName, folder)
    const log = new RecordingLog()
    const environment = () => ({
      region: 'eu-central-1',
      accessKeyId: 'AKIDFUNCTION',
      secretAccessKey: 'function-secret',
      sessionToken: 'token',
      messagingEndpoint: 'http://127.0.0.1:4001',
      identityEndpoint: 'http://127.0.0.1:4002',
    })
    const parts = { processesMax: 32, environment, clock, log, newId: randomUUID, user }
    const target = server.createFunctionTarget({ folder, ...parts })
    t.after(() => target.close())
    const invoke = (name: string) => target.invoke(name, functionArn(name), processorEvent('m'), () => {})
    return { folder, user, log, target, invoke }
  }

  test('have the rights of that user alone, and a home to write to', async (t) => {
    const { user, log, invoke } = await start(t, {
      'who.mjs': `import { mkdtempSync, rmdirSync } from 'node:fs'
      export const handler = () => {
        for (const folder of [process.env.HOME, process.env.TMPDIR]) rmdirSync(mkdtempSync(folder + '/function-'))
        const groups = process.getgroups().filter((group) => group !== process.getgid())
        console.log(JSON.stringify([process.getuid(), process.geteuid(), process.getgid(), process.getegid(), groups]))
      }`,
    })
    assert.deepEqual([await invoke('who'), log.texts('warn')], [{ result: 'completed' }, []])
    assert.deepEqual(JSON.parse(log.texts('info')[0] ?? ''), [user.uid, user.uid, user.gid, user.gid, []])
  })

  test("can neither read the server's environment and data folder nor signal the server", async (t) => {
    const dataFolder = openDataFolder(join(place, 'data'))
    t.after(() => dataFolder.close())
    const file = dataFolder.privateFile('secret')
    const { log, invoke } = await start(t, {
      'spy.mjs': `import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
      const attempts = {
        environment: () => readFileSync('/proc/' + process.ppid + '/environ'),
        memory: () => readFileSync('/proc/' + process.ppid + '/mem'),
        folder: () => readdirSync(${JSON.stringify(dirname(file))}),
        file: () => writeFileSync(${JSON.stringify(file)}, ''),
        stop: () => process.kill(process.ppid, 'SIGSTOP'),
        probe: () => process.kill(process.ppid, 0),
      }
      const codeOf = (attempt) => { try { attempt(); return 'done' } catch ({ code }) { return code } }
      export const handler = () => console.log(Object.values(attempts).map(codeOf).join(' '))`,
    })
    assert.deepEqual(await invoke('spy'), { result: 'completed' })
    assert.deepEqual(log.texts('info'), ['EACCES EACCES EACCES EACCES EPERM EPERM'])
  })

  test('are ended by the server, with what they started and what has left their group', async (t) => {
    const gate = await openGate(t)
    const clock = new ManualClock()
    const loop = `const { spawn } = require('node:child_process')
      const start = (name, detached) =>
        spawn(process.execPath, [__dirname + '/stay.mjs', name], { stdio: 'ignore', detached }).unref()
      exports.handler = () => { start('same-group', false); start('own-group', true); for (;;); }`
    const stay = `await fetch('${gate.url}/' + process.argv[2])`
    const { invoke, target } = await start(t, { 'loop.cjs': loop, 'stay.mjs': stay }, clock)
    const outcome = invoke('loop')
    const arrivals = await gate.arrivals(2)
    clock.advance(30_000)
    assert.deepEqual(await outcome, { result: 'crashed', reason: 'timed out after 30000 ms' })
    await target.close()
    await Promise.all(arrivals.map(({ gone }) => gone))
  })

  test('are searched for and ended by that user, and by root only as a whole group', async (t) => {
    const gate = await openGate(t)
    const { invoke, target } = await start(t, {
      'daemon.cjs': `fetch('${gate.url}/daemon')`,
      'leave.cjs': `const { spawn } = require('node:child_process')
      exports.handler = async () => {
        spawn(process.execPath, [__dirname + '/daemon.cjs'], { stdio: 'ignore', detached: true }).unref()
        await fetch('${gate.url}/' + process.pid)
      }`,
    })
    const outcome = invoke('leave')
    const arrivals = await gate.arrivals(2)
    const { mock } = t.mock.method(process, 'kill')
    const parent = arrivals.find(({ name }) => name !== 'daemon')
    parent?.release()
    await outcome
    await target.close()
    await Promise.all(arrivals.map(({ gone }) => gone))
    const killed = new Set(mock.calls.map((call) => call.arguments[0]))
    assert.deepEqual([...killed], [-Number(parent?.name)])
  })

  test('cannot hold up the server by stopping that search', { timeout: 60_000 }, async (t) => {
    const { user } = await start(t, {})
    const clock = new ManualClock()
    const log = new RecordingLog()
    const leftovers = new server.Leftovers(log, clock, user)
    const before = new Set(childrenOf(process.pid))
    // More than a pipe holds: the search cannot be over before the event loop goes on.
    const ended = leftovers.end('x'.repeat(1_000_000))
    let searcher: string | undefined
    for (let turns = 0; turns < 100 && !searcher; turns++) {
      await undefined
      searcher = childrenOf(process.pid).find((pid) => !before.has(pid))
    }
    assert.ok(searcher)
    process.kill(Number(searcher), 'SIGSTOP')
    t.after(() => childrenOf(process.pid).includes(searcher) && process.kill(Number(searcher), 'SIGKILL'))
    clock.advance(5_000)
    await ended
    assert.deepEqual(log.texts('warn'), ['could not look for processes that a function left running'])
    while (childrenOf(process.pid).includes(searcher)) await nextTurn()
  })

  test('are told which file they cannot read', async (t) => {
    const { folder, invoke } = await start(t, { 'closed.mjs': 'export const handler = () => {}' })
    const file = join(folder, 'closed.mjs')
    await chmod(file, 0o600)
    const reason = `${file}: Error EACCES: EACCES: permission denied, open '${file}'`
    assert.deepEqual(await invoke('closed'), { result: 'crashed', reason })
  })

  test('are refused at the start where that cannot work, with what to do', async () => {
    const folder = await mkdtemp(join(place, 'closed-'))
    const refusal = async (name: string, functions = folder) =>
      server.findFunctionsUser(name, functions).then(
        () => assert.fail('it is accepted'),
        (error: Error) => error.message,
      )
    const start = '--functions-user'
    assert.equal(
      await refusal('root'),
      `${start} root: functions would have the rights of the server; name a user who has no other use`,
    )
    assert.equal(
      await refusal('no-such-user'),
      `${start} no-such-user: there is no such user in /etc/passwd; create it, or name another`,
    )
    const unreadable = `this user cannot read ${folder}; change its mode, or move it elsewhere`
    assert.equal(await refusal(userName), `${start} ${userName}: ${unreadable}`)
    assert.equal(await refusal(userName, join(folder, 'functions')), `${start} ${userName}: ${unreadable}`)
    const user = await server.findFunctionsUser(userName, join(place, 'not-there-yet'))
    assert.ok(user.uid > 0 && existsSync(user.folder))
  })

  test('are refused at the start where the server may not change user', async () => {
    const load = `import { findFunctionsUser } from ${JSON.stringify(join(place, 'processor/functions-user.ts'))}
    await findFunctionsUser('${userName}', '/').catch((error) => console.log(error.message))`
    const asAnother = { uid: 60_000 + (process.pid % 5_000), gid: 60_000, cwd: '/', env: {} }
    const run = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', load], asAnother)
    assert.equal(run.stdout, `--functions-user ${userName}: the server may not change user; ${startedAsRoot}\n`)
  })

  const three = '+setuid,+setgid,+kill'
  const another = ['--reuid=61234', '--regid=61234', '--clear-groups']
  const rights: Record<string, string[]> = {
    'is not root, and has capabilities': [...another, `--inh-caps=-all,${three}`, `--ambient-caps=-all,${three}`],
    'is root with inheritable capabilities': ['--inh-caps=-all,+kill'],
    'is root with securebits that keep ambient capabilities': [
      '--securebits=+no_setuid_fixup',
      '--inh-caps=-all,+kill',
      '--ambient-caps=-all,+kill',
    ],
  }
  for (const [name, options] of Object.entries(rights)) {
    test(`are refused at the start where the server ${name}`, { skip: setprivRefusal(options) }, async () => {
      const load = `import { findFunctionsUser } from ${JSON.stringify(join(place, 'processor/functions-user.ts'))}
      console.log(await findFunctionsUser('${userName}', '/').catch((error) => error.message))`
      const command = [...options, process.execPath, '--input-type=module', '-e', load]
      const { stdout } = await promisify(execFile)('setpriv', command, { cwd: '/', env: { PATH: process.env.PATH } })
      const [refusal = '', rest] = stdout.split(' (Cap')
      assert.equal(refusal, `--functions-user ${userName}: its processes would keep rights of the server`, stdout)
      assert.match(rest ?? '', /^(Inh|Prm|Eff|Amb) 0*[1-9a-f][0-9a-f]*\); start it as root, /)
    })
  }

  test('run where root has no more capabilities than are needed', { skip: setprivRefusal(fewest) }, async () => {
    const folder = await mkdtemp(join(place, 'functions-'))
    await chmod(folder, 0o755)
    await writeFiles(folder, { 'any.mjs': '' })
    const load = `import { findFunctionsUser } from ${JSON.stringify(join(place, 'processor/functions-user.ts'))}
    console.log((await findFunctionsUser('${userName}', '${folder}')).uid)`
    const command = [...fewest, process.execPath, '--input-type=module', '-e', load]
    const { stdout } = await promisify(execFile)('setpriv', command, { cwd: '/', env: { PATH: process.env.PATH } })
    assert.match(stdout, /^\d+\n$/)
  })
})

test('a server that is to run functions as a user whom nobody knows does not start', async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'functions-user-'))
  t.after(() => rm(data, { recursive: true }))
  const ports = ['--http-port', '0', '--https-port', '0']
  const { status, stderr } = await carillon('serve', '--data-dir', data, ...ports, '--functions-user', 'no-such-user')
  assert.equal(status, 1)
  assert.match(
    stderr,
    /--functions-user no-such-user: there is no such user in \/etc\/passwd; create it, or name another/,
  )
})
