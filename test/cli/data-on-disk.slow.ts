import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { suite, type TestContext, test } from 'node:test'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { dataLost } from '../../src/cli/serve.ts'
import { fileLimitIsMissing, limitFiles } from '../support/file-limit.ts'
import { mountIsMissing, mountTmpfs } from '../support/mounts.ts'
import { assertRefused } from '../support/refusals.ts'
import { unlessRequired } from '../support/required.ts'
import { until } from '../support/until.ts'
import { CarillonProcess, runCarillon } from './carillon-process.ts'

const keys = { CARILLON_ACCESS_KEY_ID: 'AKIACARILLON0000TEST', CARILLON_SECRET_ACCESS_KEY: 'a-secret-of-a-test' }

/** A `carillon serve` whose data folder can be taken away, and a client of it. */
async function start(t: TestContext, dataDir?: string) {
  const parent = await mkdtemp(join(tmpdir(), 'carillon-on-disk-'))
  const folder = dataDir ?? join(parent, 'data')
  const flags = ['--data-dir', folder, '--http-port', '0', '--https-port', '0', '--admin-port', '0']
  const server = new CarillonProcess(t, ['serve', ...flags], keys)
  // After it has been killed, which is registered before.
  t.after(async () => {
    await server.ended
    await rm(parent, { recursive: true, force: true })
  })
  await server.ready()
  const endpoint = JSON.parse(await readFile(join(folder, 'endpoint.json'), 'utf8'))
  const identity = new ChimeSDKIdentity({
    endpoint: endpoint.http,
    region: endpoint.region,
    credentials: { accessKeyId: keys.CARILLON_ACCESS_KEY_ID, secretAccessKey: keys.CARILLON_SECRET_ACCESS_KEY },
    maxAttempts: 1,
  })
  t.after(() => identity.destroy())
  const file = join(folder, 'carillon.sqlite')
  const create = (Name: string) => identity.createAppInstance({ Name, ClientRequestToken: Name })
  const names = () => {
    using database = new DatabaseSync(file, { readOnly: true })
    return database
      .prepare('SELECT name FROM app_instance')
      .all()
      .map(({ name }) => JSON.parse(String(name)))
      .sort()
  }
  const readiness = async () => {
    const response = await fetch(`${endpoint.admin}/readyz`)
    return { status: response.status, checks: ((await response.json()) as { checks: Record<string, string> }).checks }
  }
  return { parent, folder, server, create, names, readiness, file }
}

type Started = Awaited<ReturnType<typeof start>>

/** Resolves when the server has ended by itself, and in the right way. */
async function assertStops({ server }: Started, problem: RegExp): Promise<void> {
  assert.equal(await server.ended, dataLost)
  const last = server.stderr.trim().split('\n').at(-1) ?? ''
  assert.match(last, /^carillon: the data on disk is not that of this server any more: .*; the server stops/)
  assert.match(last, problem)
}

/** What becomes of one write after another, until the server is gone. */
async function createUntilItEnds({ server, create }: Started): Promise<('acknowledged' | 'refused')[]> {
  const outcomes: ('acknowledged' | 'refused')[] = []
  while (server.child.exitCode === null) {
    const outcome = await create(`write-${outcomes.length}`).then(
      () => 'acknowledged' as const,
      () => 'refused' as const,
    )
    outcomes.push(outcome)
  }
  return outcomes
}

suite('a server whose data is taken away stops with a line that says so', () => {
  test('when its folder is removed', async (t) => {
    const started = await start(t)
    await rm(started.folder, { recursive: true })
    const outcomes = await createUntilItEnds(started)
    const first = outcomes.indexOf('refused')
    assert.ok(!outcomes.slice(first).includes('acknowledged'), `after it was found out: ${outcomes.slice(first)}`)
    await assertStops(started, /\/data(\/\S+)? was removed or moved/)
    assert.ok(!existsSync(started.folder), 'nothing was written there any more')
  })

  test('when its folder is moved, and all that was acknowledged is in it; what came to its old place is left alone', async (t) => {
    const started = await start(t)
    await started.create('acknowledged')
    const moved = join(started.parent, 'moved')
    await rename(started.folder, moved)
    await mkdir(started.folder)
    await writeFile(join(started.folder, 'endpoint.json'), 'of the next server')
    await assertStops(started, /\/data was (replaced|removed or moved)/)
    assert.equal(await readFile(join(started.folder, 'endpoint.json'), 'utf8'), 'of the next server')
    const again = await start(t, moved)
    assert.deepEqual(again.names(), ['acknowledged'])
  })

  for (const name of ['carillon.sqlite', 'carillon.sqlite-wal', 'carillon.sqlite-shm', 'lock']) {
    test(`when ${name} is replaced`, async (t) => {
      const started = await start(t)
      const path = join(started.folder, name)
      await copyFile(path, `${path}.copy`)
      await rename(`${path}.copy`, path)
      await assertStops(started, new RegExp(`/${name} was replaced`))
    })
  }

  test('when a backup is copied over its file, and does not start on the mixture', async (t) => {
    const started = await start(t)
    const backup = join(started.parent, 'backup')
    assert.equal((await runCarillon(t, ['backup', backup, '--data-dir', started.folder], {})).status, 0)
    await started.create('after-the-backup')
    // By its inode it is still the same file.
    execFileSync('cp', [backup, started.file])
    await assertStops(started, /another database was copied over .*\/carillon\.sqlite while the server used it/)
    const again = await runCarillon(t, ['serve', '--data-dir', started.folder], keys)
    assert.equal(again.status, 1)
    assert.match(
      again.stderr,
      /data is not usable any more: another database was copied over .*Restore the backup into/,
    )
  })

  test('when a backup is copied over its file, and the folder cannot be marked', async (t) => {
    const started = await start(t)
    const backup = join(started.parent, 'backup')
    assert.equal((await runCarillon(t, ['backup', backup, '--data-dir', started.folder], {})).status, 0)
    // In the way of the mark, for root as well.
    await mkdir(join(started.folder, 'overwritten.new'))
    execFileSync('cp', [backup, started.file])
    await assertStops(started, /another database was copied over/)
    assert.match(started.server.stderr, /marking the data folder as overwritten failed/)
  })

  test('when its file system is unmounted', { skip: mountIsMissing() }, async (t) => {
    const mount = await mountTmpfs(t, '64m')
    const started = await start(t, join(mount, 'data'))
    execFileSync('umount', ['--lazy', mount])
    await assertStops(started, /\/data was removed or moved/)
  })
})

test('backups, keys, checkpoints and restarts do not stop a server', async (t) => {
  const started = await start(t)
  const of = ['--data-dir', started.folder]
  for (let rounds = 0; rounds < 2; rounds += 1) {
    await started.create(`instance-${rounds}`)
    assert.equal((await runCarillon(t, ['backup', join(started.parent, `backup-${rounds}`), ...of], {})).status, 0)
    assert.equal((await runCarillon(t, ['keys', 'create', '--operator', ...of], {})).status, 0)
  }
  const checkpoint = `new (require('node:sqlite').DatabaseSync)(process.argv[1]).exec('PRAGMA wal_checkpoint(TRUNCATE)')`
  execFileSync(process.execPath, ['-e', checkpoint, started.file])
  // A file that is not there any more is seen within a second: the next thing proves that it was looked for meanwhile.
  await rm(join(started.folder, 'lock'))
  await assertStops(started, /\/lock was removed or moved/)
})

test('a link to the data folder that is switched does not stop a server, or move it', async (t) => {
  const parent = await mkdtemp(join(tmpdir(), 'carillon-link-'))
  const [link, mine, other] = ['link', 'mine', 'other'].map((name) => join(parent, name)) as [string, string, string]
  await mkdir(mine)
  await mkdir(other)
  await symlink(mine, link)
  const started = await start(t, link)
  t.after(() => rm(parent, { recursive: true }))
  await symlink(other, `${link}.new`)
  await rename(`${link}.new`, link)
  await writeFile(join(other, 'endpoint.json'), 'of the next server')
  await started.create('after-the-switch')
  // The next removal is noticed, and that proves that there were checks meanwhile.
  await rm(join(mine, 'lock'))
  await assertStops(started, /\/mine\/lock was removed or moved/)
  assert.deepEqual(await readdir(other), ['endpoint.json'])
})

suite('a disk that takes no writes', () => {
  test('makes the server unready until it does', { skip: unlessRequired(fileLimitIsMissing()) }, async (t) => {
    const { server, create, names, readiness } = await start(t)
    await create('before')
    limitFiles(server.child.pid, 4_096)
    await assertRefused(create('lost'), 'ServiceUnavailable')
    const red = await readiness()
    assert.equal(red.status, 503)
    assert.match(red.checks.store ?? '', /^the disk reports an input\/output error/)
    limitFiles(server.child.pid, 'unlimited')
    await until(async () => (await readiness()).status === 200)
    await create('after')
    assert.deepEqual(names(), ['after', 'before'])
  })

  test('is one that is full', { skip: mountIsMissing() }, async (t) => {
    const mount = await mountTmpfs(t, '3m')
    const { create, names, readiness } = await start(t, join(mount, 'data'))
    const acknowledged = ['before']
    await create('before')
    const filler = join(mount, 'filler')
    spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=4096'], { stdio: 'ignore' })
    for (let tries = 0; tries < 3; tries += 1) {
      const name = `on-a-full-disk-${tries}`
      await create(name).then(
        () => acknowledged.push(name),
        () => {},
      )
    }
    const red = await readiness()
    assert.equal(red.status, 503)
    assert.match(red.checks.disk ?? '', /^the disk of the data folder is full$/)
    await rm(filler)
    await until(async () => (await readiness()).status === 200)
    await create('after')
    assert.deepEqual(names(), [...acknowledged, 'after'].sort())
  })

  test('is not one whose database another process has locked', async (t) => {
    const { create, readiness, file } = await start(t)
    // The server's own background work may be writing.
    using other = new DatabaseSync(file, { timeout: 5_000 })
    other.exec('BEGIN IMMEDIATE')
    await assertRefused(create('too-busy'), 'ServiceUnavailable')
    const { status, checks } = await readiness()
    assert.deepEqual([status, checks.store], [200, 'ok'])
  })
})
