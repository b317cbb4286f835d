import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { fileLimitIsMissing } from '../support/file-limit.ts'
import { Flood } from '../support/flood.ts'
import { mountIsMissing } from '../support/mounts.ts'
import { unlessRequired } from '../support/required.ts'
import { CarillonProcess } from './carillon-process.ts'

const limit = 256
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const skip = unlessRequired(fileLimitIsMissing())

test(`with ${limit} descriptors and ${limit + 200} silent connections it serves clients`, {
  skip,
  timeout: 60_000,
}, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-descriptors-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const flags = ['--data-dir', join(folder, 'data'), '--http-port', '0', '--https-port', '0', '--admin-port', '0']
  const environment = {
    CARILLON_ACCESS_KEY_ID: credentials.accessKeyId,
    CARILLON_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  }
  const runner = ['prlimit', `--nofile=${limit}:${limit}`]
  const carillon = await new CarillonProcess(t, ['serve', ...flags], environment, runner).ready()
  t.after(async () => {
    carillon.child.kill('SIGKILL')
    await carillon.ended
  })
  const { http, admin } = JSON.parse(readFileSync(join(folder, 'data', 'endpoint.json'), 'utf8'))
  const told = carillon.stderr.split('\n').find((line) => line.includes('file descriptors allow no more than'))
  assert.ok(told, 'the log does not say that there are few descriptors')
  const { all, reserve } = JSON.parse(told)
  assert.ok(all + reserve < limit && reserve > limit / 4, told)

  const call = async () => {
    const client = new ChimeSDKMessaging({ endpoint: http, region: 'us-east-1', credentials })
    await client.getMessagingSessionEndpoint().catch((error: unknown) => {
      client.destroy()
      throw error
    })
    return client
  }
  const old = await call()
  t.after(() => old.destroy())
  const flood = new Flood({ port: Number(new URL(http).port), localAddress: '127.0.0.2', size: limit + 200 })
  t.after(() => flood.close())
  let openMost = 0
  for (let count = 1; count <= 10; count += 1) {
    const newcomer = await call()
    newcomer.destroy()
    await old.getMessagingSessionEndpoint()
    assert.equal((await fetch(`${admin}/readyz`)).status, 200)
    openMost = Math.max(openMost, readdirSync(`/proc/${carillon.child.pid}/fd`).length)
  }
  t.diagnostic(`${openMost} descriptors open at most, of ${limit}; ${flood.attempts} connections tried`)
  assert.ok(openMost <= limit - reserve + 10, `${openMost} descriptors are open`)
  flood.close()

  // Below what it has open: it cannot accept then, and goes on with the connections that it has.
  const setLimit = (soft: number) =>
    execFileSync('prlimit', ['--pid', String(carillon.child.pid), `--nofile=${soft}:${limit}`])
  setLimit(20)
  while (!carillon.stderr.includes('shortage of descriptors')) await old.getMessagingSessionEndpoint()
  setLimit(limit)
  // It takes new connections again when it next counts. The test's timeout is the limit.
  let after: ChimeSDKMessaging | undefined
  while (!after) after = await call().catch(() => undefined)
  after.destroy()
  carillon.child.kill('SIGTERM')
  assert.equal(await carillon.ended, 0)
})

test('without /proc it starts and is ready', { skip: mountIsMissing(), timeout: 60_000 }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-no-proc-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const flags = ['--data-dir', folder, '--http-port', '0', '--https-port', '0', '--admin-port', '0']
  const runner = ['unshare', '--mount', 'sh', '-c', 'mount -t tmpfs none /proc && exec "$@"', 'sh']
  const carillon = await new CarillonProcess(t, ['serve', ...flags], {}, runner).ready()
  t.after(async () => {
    carillon.child.kill('SIGKILL')
    await carillon.ended
  })
  const { admin } = JSON.parse(readFileSync(join(folder, 'endpoint.json'), 'utf8'))
  const report = (await (await fetch(`${admin}/readyz`)).json()) as { ready: boolean }
  assert.equal(report.ready, true, JSON.stringify(report))
})
