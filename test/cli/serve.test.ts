import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { compileCache } from '../support/compile-cache.ts'

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
const keys = {
  CARILLON_ACCESS_KEY_ID: 'AKIACARILLON0000TEST',
  CARILLON_SECRET_ACCESS_KEY: 'a-secret-that-nobody-may-read-anywhere',
}

let dataDir: string
let children: ChildProcess[]
beforeEach(() => {
  dataDir = mkdtempSync(join(tmpdir(), 'carillon-serve-'))
  children = []
})
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  rmSync(dataDir, { recursive: true, force: true })
})

/** A `carillon serve` with this test's folder and free ports, unless the flags say otherwise. */
class ServeProcess {
  readonly child: ChildProcess
  readonly ended: Promise<unknown[]>
  stdout = ''
  stderr = ''

  constructor(...flags: string[]) {
    const env = { ...compileCache, ...keys, CARILLON_PORT: 'tcp://10.0.0.7:80' }
    const args = [main, 'serve', '--data-dir', dataDir, '--http-port', '0', '--https-port', '0', ...flags]
    this.child = spawn(process.execPath, args, { env, stdio: 'pipe' })
    children.push(this.child)
    this.ended = once(this.child, 'close')
    this.child.stdout!.on('data', (chunk) => {
      this.stdout += chunk
    })
    this.child.stderr!.on('data', (chunk) => {
      this.stderr += chunk
    })
  }

  async ready(): Promise<this> {
    while (!this.stdout.includes('\n')) await Promise.race([once(this.child.stdout!, 'data'), this.#endedEarly()])
    return this
  }

  async #endedEarly(): Promise<never> {
    await this.ended
    throw new Error(`the server ended before it was ready: ${this.stderr}`)
  }

  async exitCode(): Promise<unknown> {
    return (await this.ended)[0]
  }
}

suite('carillon serve', () => {
  test('says that it is ready, responds, and stops at SIGTERM', async () => {
    const server = await new ServeProcess().ready()
    assert.match(server.stdout, /^carillon ready at http:\/\/127\.0\.0\.1:\d+ and https:\/\/127\.0\.0\.1:\d+\n/)
    const endpoint = JSON.parse(readFileSync(join(dataDir, 'endpoint.json'), 'utf8'))
    assert.equal(endpoint.pid, server.child.pid)
    await fetch(endpoint.http)
    server.child.kill('SIGTERM')
    assert.equal(await server.exitCode(), 0)
    assert.ok(!existsSync(join(dataDir, 'endpoint.json')))
  })

  test('stops at SIGINT', async () => {
    const server = await new ServeProcess().ready()
    server.child.kill('SIGINT')
    assert.equal(await server.exitCode(), 0)
  })

  test('warns of a variable it does not know, and never tells the secret', async () => {
    const server = await new ServeProcess('--log-level', 'debug').ready()
    server.child.kill('SIGTERM')
    await server.ended
    assert.match(server.stderr, /CARILLON_PORT is not a setting/)
    assert.ok(!(server.stdout + server.stderr).includes(keys.CARILLON_SECRET_ACCESS_KEY))
  })

  test('starts again after it was killed', async () => {
    const first = await new ServeProcess().ready()
    first.child.kill('SIGKILL')
    await first.ended
    const second = await new ServeProcess().ready()
    assert.equal(JSON.parse(readFileSync(join(dataDir, 'endpoint.json'), 'utf8')).pid, second.child.pid)
  })
})

suite('carillon serve does not start, and says in one line why', () => {
  async function refusal(...flags: string[]): Promise<string> {
    const server = new ServeProcess('--log-level', 'error', ...flags)
    assert.equal(await server.exitCode(), 1)
    assert.equal(server.stdout, '')
    return server.stderr
  }

  test('in the folder of a running server', async () => {
    const first = await new ServeProcess().ready()
    const complaint = `carillon: the data folder ${dataDir} is in use by another Carillon (process ${first.child.pid})\n`
    assert.equal(await refusal(), complaint)
  })

  test('on a port in use', async (t) => {
    const other = createServer().listen(0, '127.0.0.1')
    t.after(() => other.close())
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    for (const flag of ['--http-port', '--https-port', '--admin-port']) {
      const complaint = `carillon: port ${port} of 127.0.0.1 is in use: change ${flag}; 0 picks a free one\n`
      assert.equal(await refusal(flag, String(port)), complaint)
    }
  })

  test('on an address of another machine', async () => {
    const complaint = (flag: string) => `carillon: 192.0.2.1 is not an address of this machine: change ${flag}\n`
    assert.equal(await refusal('--host', '192.0.2.1'), complaint('--host'))
    assert.equal(await refusal('--admin-port', '0', '--admin-host', '192.0.2.1'), complaint('--admin-host'))
  })
})
