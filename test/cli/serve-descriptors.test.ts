import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { Flood } from '../support/flood.ts'
import { CarillonProcess } from './carillon-process.ts'

const limit = 256
const credentials = { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' }
const skip = spawnSync('prlimit', ['--version']).status !== 0 && 'there is no prlimit on this machine'

test(`with ${limit} descriptors and ${limit + 200} silent connections it serves clients`, { skip }, async (t) => {
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
    await client.getMessagingSessionEndpoint()
    return client
  }
  const old = await call()
  t.after(() => old.destroy())
  const flood = new Flood(Number(new URL(http).port), '127.0.0.1', limit + 200)
  t.after(() => flood.close())
  let openMost = 0
  for (let count = 1; count <= 10; count += 1) {
    // The newcomer comes from the flood's own address.
    const newcomer = await call()
    newcomer.destroy()
    await old.getMessagingSessionEndpoint()
    assert.equal((await fetch(`${admin}/readyz`)).status, 200)
    openMost = Math.max(openMost, readdirSync(`/proc/${carillon.child.pid}/fd`).length)
  }
  t.diagnostic(`${openMost} descriptors open at most, of ${limit}; ${flood.attempts} connections tried`)
  assert.ok(openMost <= limit - reserve + 10, `${openMost} descriptors are open`)
  flood.close()

  // Below what it has open: what libuv then closes is seen by nobody but the look at the descriptors.
  const setLimit = (soft: number) =>
    execFileSync('prlimit', ['--pid', String(carillon.child.pid), `--nofile=${soft}:${limit}`])
  setLimit(20)
  while (!carillon.stderr.includes('shortage of descriptors')) await once(carillon.child.stderr!, 'data')
  await old.getMessagingSessionEndpoint()
  setLimit(limit)
  const after = await call()
  after.destroy()
  carillon.child.kill('SIGTERM')
  assert.equal(await carillon.ended, 0)
})
