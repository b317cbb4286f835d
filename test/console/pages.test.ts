import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { brotliCompressSync } from 'node:zlib'
import { Pages } from '../../src/console/pages.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { startTestServer } from '../support/running-server.ts'
import { until } from '../support/until.ts'
import { ConsoleClient } from './console-client.ts'

/** A folder with a console, and a program in the place of Vite that writes this into its index.html. */
async function sources(t: TestContext, vite: string): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'carillon-pages-'))
  t.after(() => rm(root, { recursive: true }))
  await mkdir(join(root, 'console'))
  await writeFile(join(root, 'console/index.html'), '<p>Source</p>')
  await mkdir(join(root, 'node_modules/vite/bin'), { recursive: true })
  await writeFile(join(root, 'node_modules/vite/bin/vite.js'), vite)
  return root
}

async function built(root: string): Promise<void> {
  const folder = join(root, 'dist/console-pages')
  await mkdir(join(folder, 'assets'), { recursive: true })
  await writeFile(join(folder, 'index.html'), '<p>Built</p>')
  await writeFile(join(folder, 'assets/index-1a.js'), 'run()')
  await writeFile(join(folder, 'assets/index-1a.js.br'), brotliCompressSync('run()'))
}

const builds = (text: string) => `
  const fs = require('node:fs')
  const folder = process.argv[process.argv.indexOf('--outDir') + 1]
  fs.mkdirSync(folder, { recursive: true })
  fs.writeFileSync(folder + '/index.html', '${text}')`

const bodyOf = (file: Awaited<ReturnType<Pages['find']>>) => (typeof file === 'object' ? file.body.toString() : file)

suite('the pages of the console', () => {
  test('are built in a child when they are missing, and then served', async (t) => {
    const pages = new Pages({ root: await sources(t, builds('<p>New</p>')), log: silentLog })
    assert.equal(await pages.find('/index.html'), 'building')
    await until(async () => (await pages.find('/index.html')) !== 'building')
    assert.equal(bodyOf(await pages.find('/index.html')), '<p>New</p>')
  })

  test('are built again when a source is newer; the previous ones are served meanwhile', async (t) => {
    const root = await sources(t, builds('<p>New</p>'))
    await built(root)
    await utimes(join(root, 'console/index.html'), 0, 0)
    await utimes(join(root, 'console'), 0, 0)
    const fresh = new Pages({ root, log: silentLog })
    assert.equal(bodyOf(await fresh.find('/index.html')), '<p>Built</p>')
    await utimes(join(root, 'dist/console-pages/index.html'), 1, 1)
    await utimes(join(root, 'console/index.html'), 2, 2)
    const stale = new Pages({ root, log: silentLog })
    assert.equal(bodyOf(await stale.find('/index.html')), '<p>Built</p>')
    await until(async () => bodyOf(await stale.find('/index.html')) === '<p>New</p>')
  })

  test('say so if the build fails, and the log has the reason', async (t) => {
    const root = await sources(t, `console.error('no such module'); process.exit(1)`)
    const errors: object[] = []
    const log = { ...silentLog, error: (fields: object) => void errors.push(fields) }
    const pages = new Pages({ root, log })
    await until(async () => (await pages.find('/index.html')) === 'failed')
    assert.deepEqual(errors, [{ reason: 'no such module\n' }])
  })

  test('of a package are never built', async (t) => {
    const root = await mkdtemp(join(tmpdir(), 'carillon-pages-'))
    t.after(() => rm(root, { recursive: true }))
    assert.equal(await new Pages({ root, log: silentLog }).find('/index.html'), 'missing')
    await built(root)
    assert.equal(bodyOf(await new Pages({ root, log: silentLog }).find('/index.html')), '<p>Built</p>')
  })

  test('are served compressed, with their type, and kept by browsers if their name has a hash', async (t) => {
    const root = await mkdtemp(join(tmpdir(), 'carillon-pages-'))
    t.after(() => rm(root, { recursive: true }))
    await built(root)
    const server = await startTestServer({ flags: ['--admin-port', '0'], pagesRoot: root })
    const client = new ConsoleClient(server.endpoint.admin ?? assert.fail('there is no admin port'))
    const script = await client.read('/assets/index-1a.js', { 'accept-encoding': 'gzip, br' })
    assert.deepEqual(
      ['content-type', 'content-encoding', 'cache-control'].map((name) => script.headers[name]),
      ['text/javascript; charset=utf-8', 'br', 'public, max-age=31536000, immutable'],
    )
    assert.equal((await client.read('/assets/index-1a.js')).text, 'run()')
    for (const path of ['/', '/messages/1a2b', '/processors?sort=name']) {
      const { status, text, headers } = await client.read(path)
      assert.deepEqual([status, text, headers['cache-control']], [200, '<p>Built</p>', 'no-cache'])
    }
    for (const path of ['/assets/other.js', '/../package.json', '/assets/index-1a.js.br']) {
      assert.equal((await client.read(path)).status, 404, path)
    }
    assert.equal((await client.send('HEAD', '/')).text, '')
  })
})
