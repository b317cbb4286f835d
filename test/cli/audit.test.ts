import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { asJson, asText } from '../../src/cli/audit.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { type AuditRow, recordAct } from '../../src/store/audit.ts'
import { SqliteStore } from '../../src/store/sqlite.ts'
import { carillon } from '../support/carillon.ts'
import { compileCache } from '../support/compile-cache.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)
const data = ['--data-dir', server.dataDir]

// biome-ignore lint/suspicious/noExplicitAny: the lines of the export
async function exported(...args: string[]): Promise<any[]> {
  const { status, stdout, stderr } = await carillon('audit', '--json', ...args, ...data)
  assert.deepEqual([status, stderr], [0, ''])
  return stdout
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line))
}

suite('carillon audit', () => {
  test('prints the acts of the API and of the command line, with the user that ran it', async () => {
    const created = await carillon('keys', 'create', '--user', people.member, '--name', 'phone', ...data)
    const [, AccessKeyId = ''] = /^aws_access_key_id=(\w+)$/m.exec(created.stdout) ?? []
    for (const action of ['suspend', 'suspend', 'resume', 'delete'])
      await carillon('keys', action, AccessKeyId, ...data)
    await carillon('keys', 'suspend', people.member, ...data)
    const acts = await exported('--since', '1h')
    const byKey = acts.filter(({ accessKeyId }) => accessKeyId !== 'command line')
    assert.ok(byKey.some(({ action, address }) => action === 'chime:CreateAppInstance' && address !== undefined))
    const command = { accessKeyId: 'command line', keyName: userInfo().username }
    const key = { AccessKeyId }
    const created1 = { ...key, Kind: 'USER', SubjectArn: people.member, Directory: false }
    assert.deepEqual(
      acts.slice(byKey.length).map(({ time: _, ...act }) => act),
      [
        { ...command, action: 'carillon:CreateKey', facts: created1 },
        { ...command, action: 'carillon:SuspendKey', facts: key },
        { ...command, action: 'carillon:ResumeKey', facts: key },
        { ...command, action: 'carillon:DeleteKey', facts: key },
        { ...command, action: 'carillon:SuspendUser', facts: { AppInstanceUserArn: people.member } },
      ],
    )
  })

  test('prints only what was since a time', async () => {
    assert.deepEqual(await exported('--since', new Date(Date.now() + 60_000).toISOString()), [])
    const { status, stderr } = await carillon('audit', '--since', 'yesterday', ...data)
    assert.equal(status, 1)
    assert.match(stderr, /^--since must be a number with m, h or d/)
  })
})

/** Names that would end a line, move a terminal's cursor or turn the direction of its text. */
const forgeries = [
  'a\nb',
  'a\r\nb',
  'a\u2028b',
  'a\u2029b',
  'a\u0085b',
  'a\u001b[2Jb',
  'a\u009b2Jb',
  'a\u202eb',
  'a\u2066b',
  'a\u0000b',
]

const rowOf = (name: string): AuditRow => ({
  number: 1,
  at: 0,
  access_key_id: 'AKIAOPERATOR',
  key_name: name,
  action: 'carillon:CreateKey',
  scope_arn: null,
  facts_json: JSON.stringify({ [name]: name }),
  address: null,
  request_id: null,
})

test('no name can forge a line of the audit log, and the export gives it back as it was', () => {
  for (const name of forgeries) {
    const [json, text] = [asJson(rowOf(name)), asText(rowOf(name))]
    for (const line of [json, text]) assert.match(line, /^[\x20-\x7e]+$/)
    const { keyName, facts } = JSON.parse(json)
    assert.deepEqual([keyName, facts], [name, { [name]: name }])
  }
})

test('a reader of the output that has enough, such as head, is no error', async (context) => {
  const folder = await mkdtemp(join(tmpdir(), 'carillon-audit-'))
  context.after(() => rm(folder, { recursive: true }))
  const store = new SqliteStore(join(folder, 'carillon.sqlite'), { clock: new ManualClock(0), log: silentLog })
  // More than fits into a pipe.
  await store.transaction(async (transaction) => {
    const facts = { SubjectArn: `${people.appInstanceArn}/user/${'a'.repeat(64)}` }
    for (let at = 0; at < 3_000; at++) {
      await recordAct(transaction, { at, accessKeyId: 'AKIAOPERATOR', action: 'carillon:CreateKey', facts })
    }
  })
  await store.close()
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))
  const child = spawn(process.execPath, [main, 'audit', '--data-dir', folder], { env: compileCache })
  context.after(() => child.kill('SIGKILL'))
  const errors: Buffer[] = []
  child.stderr.on('data', (chunk) => errors.push(chunk))
  const closed = once(child, 'close')
  child.stdout.once('data', () => child.stdout.destroy())
  const [code] = await closed
  assert.deepEqual([code, Buffer.concat(errors).toString()], [0, ''])
})
