import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { CrashingServer } from './crashing-server.ts'

/** How many users and rows of the audit log about them there are after a crash at this point of the second act. */
const points = {
  audit: { users: 0, acts: 0 },
  audited: { users: 1, acts: 1 },
}

for (const [point, expected] of Object.entries(points)) {
  test(`after a crash at the point ${point} the audit log has an act exactly if it was done`, {
    timeout: 120_000,
  }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'carillon-audit-'))
    const data = join(folder, 'data')
    const server = await CrashingServer.open(['--data-dir', data, '--functions', join(folder, 'functions')])
    t.after(async () => {
      await server.end()
      await rm(folder, { recursive: true, maxRetries: 10 })
    })
    await server.start(`${point}:2`)
    const { endpoint, credentials } = server
    const options = { endpoint: endpoint.http, region: endpoint.region, credentials, maxAttempts: 1 }
    const identity = new ChimeSDKIdentity(options)
    const { AppInstanceArn } = await identity.createAppInstance({ Name: 'audit' })
    await assert.rejects(identity.createAppInstanceUser({ AppInstanceArn, AppInstanceUserId: 'ann', Name: 'Ann' }))
    await server.died
    await server.start()
    const database = new DatabaseSync(join(data, 'carillon.sqlite'), { readOnly: true })
    try {
      const count = (from: string) => Number(database.prepare(`SELECT count(*) AS count FROM ${from}`).get()?.count)
      const found = {
        users: count('app_instance_user'),
        acts: count(`audit WHERE action = 'chime:CreateAppInstanceUser'`),
      }
      assert.deepEqual(found, expected)
    } finally {
      database.close()
    }
  })
}
