import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { isRunByNpm } from '../../src/cli/npm-parent.ts'
import { openDataFolder } from '../../src/runtime/data-folder.ts'
import { until } from '../support/until.ts'
import { CarillonProcess, runCarillon } from './carillon-process.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const ports = ['--http-port', '0', '--https-port', '0']

function dataFolder(context: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-stop-'))
  context.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

const stop = (context: TestContext, folder: string) => runCarillon(context, ['stop', '--data-dir', folder], {})

/** A process of another program, as a number that is used again would name it. */
function otherProcess(context: TestContext): number {
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' })
  context.after(() => child.kill('SIGKILL'))
  return child.pid as number
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

suite('carillon stop', () => {
  test('ends the server of a data folder, and waits until it has left', async (t) => {
    const folder = dataFolder(t)
    const server = await new CarillonProcess(t, ['serve', '--data-dir', folder, ...ports], {}).ready()
    const { pid } = server.child
    assert.deepEqual(await stop(t, folder), {
      status: 0,
      stdout: `the server in ${folder} has stopped (process ${pid})\n`,
      stderr: '',
    })
    // The lock is free.
    openDataFolder(folder).close()
    assert.equal(await server.ended, 0)
    assert.ok(!existsSync(join(folder, 'endpoint.json')))
    assert.deepEqual(await stop(t, folder), { status: 0, stdout: `no server runs in ${folder}\n`, stderr: '' })
  })

  test('takes the folder from the environment', async (t) => {
    const folder = dataFolder(t)
    openDataFolder(folder).close()
    const { status, stdout } = await runCarillon(t, ['stop'], { CARILLON_DATA_DIR: folder })
    assert.deepEqual([status, stdout], [0, `no server runs in ${folder}\n`])
  })

  test('waits for a server that is starting, and then ends it', async (t) => {
    const folder = dataFolder(t)
    const server = new CarillonProcess(t, ['serve', '--data-dir', folder, ...ports], {})
    await until(() => existsSync(join(folder, 'carillon.sqlite')))
    const { status, stdout } = await stop(t, folder)
    assert.deepEqual([status, stdout], [0, `the server in ${folder} has stopped (process ${server.child.pid})\n`])
    assert.equal(await server.ended, 0)
  })

  test('says so where there was no server ever', async (t) => {
    const folder = dataFolder(t)
    for (const path of [folder, join(folder, 'missing')]) {
      const stderr = `carillon: ${path} is not the data folder of a server: set --data-dir\n`
      assert.deepEqual(await stop(t, path), { status: 1, stdout: '', stderr })
    }
  })

  test('ends no other process, whatever endpoint.json says', async (t) => {
    const folder = dataFolder(t)
    const pid = otherProcess(t)
    const file = join(folder, 'endpoint.json')
    openDataFolder(folder).close()
    // A server that crashed left its file, and its number is another process's now.
    writeFileSync(file, JSON.stringify({ pid, processStart: '1' }))
    assert.deepEqual(await stop(t, folder), { status: 0, stdout: `no server runs in ${folder}\n`, stderr: '' })
    // A server in a container has the folder, and counts its processes by itself.
    const held = openDataFolder(folder)
    t.after(() => held.close())
    const { status, stderr } = await stop(t, folder)
    assert.equal(status, 1)
    assert.equal(
      stderr,
      `carillon: process ${pid} is not the server of ${folder}: it runs in a container or on another machine; stop it there\n`,
    )
    assert.ok(isAlive(pid))
  })

  test('says so if this user cannot read the folder', async (t) => {
    const folder = dataFolder(t)
    openDataFolder(folder).close()
    // To root nothing is closed: it becomes somebody else, once it has read the program.
    const isRoot = process.getuid?.() === 0
    if (!isRoot) chmodSync(folder, 0)
    const script = `
      const { stop } = await import(process.argv[1])
      if (${isRoot}) process.setuid(65534)
      await stop(['--data-dir', process.argv[2]], {}).catch((error) => console.log(error.message))`
    const args = ['--input-type=module', '-e', script, join(root, 'src/cli/stop.ts'), folder]
    const { stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    chmodSync(folder, 0o700)
    assert.equal(stdout, `this user cannot read the data folder ${folder}: run the command as the server's user\n`)
  })
})

suite('a server that npm runs', () => {
  test('ends with npm', { timeout: 60_000 }, async (t) => {
    const folder = dataFolder(t)
    const args = ['start', '--', '--data-dir', folder, ...ports]
    const npm = spawn('npm', args, { cwd: root, detached: true, stdio: ['ignore', 'pipe', 'ignore'] })
    t.after(() => {
      try {
        process.kill(-npm.pid!, 'SIGKILL')
      } catch {}
    })
    let said = ''
    npm.stdout.on('data', (text) => {
      said += text
    })
    while (!said.includes('carillon ready')) await once(npm.stdout, 'data')
    const { pid } = JSON.parse(readFileSync(join(folder, 'endpoint.json'), 'utf8'))
    assert.notEqual(pid, npm.pid)
    npm.kill('SIGTERM')
    // The server holds its output open until it ends, in order.
    await once(npm, 'close')
    assert.ok(!existsSync(join(folder, 'endpoint.json')))
    openDataFolder(folder).close()
  })

  test('is one where npm runs nothing else', () => {
    const isRun = (npm_lifecycle_script: string) => isRunByNpm({ npm_lifecycle_script })
    for (const script of ["'carillon'", 'carillon', 'carillon serve --host 0.0.0.0', 'node bin/carillon.js serve'])
      assert.ok(isRun(script), script)
    // These end before the server, or may.
    const others = ['carillon serve &', 'carillon serve & vite', 'carillon serve; true', 'vitest', 'carillon-like', '']
    for (const script of others) assert.ok(!isRun(script), script)
    assert.ok(!isRunByNpm({}), 'without npm: nohup, systemd and shells')
  })
})
