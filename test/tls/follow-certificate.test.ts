import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, before, beforeEach, suite, test } from 'node:test'
import { type Config, readConfig } from '../../src/config.ts'
import { type DataFolder, openDataFolder } from '../../src/runtime/data-folder.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { followCertificate } from '../../src/tls/follow-certificate.ts'
import { type CertifiedKey, createAuthority, issueCertificate } from '../../src/tls/issue-certificate.ts'
import { ManualClock } from '../support/manual-clock.ts'

const dayMs = 24 * 60 * 60 * 1000
const startMs = Date.UTC(2026, 0, 2)
const { config } = readConfig([], {}, () => '')

let authority: CertifiedKey
let folder: DataFolder
let clock: ManualClock
let warnings: string[]
let stop: () => void

before(async () => {
  authority = await createAuthority(startMs)
})
beforeEach(() => {
  folder = openDataFolder(mkdtempSync(join(tmpdir(), 'carillon-certificate-')))
  clock = new ManualClock(startMs)
  warnings = []
  stop = () => {}
})
afterEach(() => {
  stop()
  folder.close()
  rmSync(folder.path, { recursive: true })
})

/** A server's start: what is in use then, and what comes into use next. */
async function start(changed: Partial<Config> = {}) {
  stop()
  const { promise: next, resolve } = Promise.withResolvers<CertifiedKey>()
  const used: CertifiedKey[] = []
  const use = (pair: CertifiedKey) => {
    if (used.push(pair) === 2) resolve(pair)
  }
  const log = { ...silentLog, warn: (_: object, text: string) => void warnings.push(text) }
  stop = await followCertificate({ ...config, ...changed }, { folder, authority, clock, log }, use)
  assert.equal(used.length, 1)
  return { inUse: used[0]!, next }
}

const names = ({ certificatePem }: CertifiedKey) => new X509Certificate(certificatePem).subjectAltName

suite('the certificate that a server makes', () => {
  test('is kept for the next start, and the authority is there to be trusted', async () => {
    const { inUse } = await start()
    assert.deepEqual((await start()).inUse, inUse)
    assert.equal(readFileSync(join(folder.path, 'ca.pem'), 'utf8'), authority.certificatePem)
    assert.deepEqual(warnings, [])
  })

  test('is for the further names, too, and made anew when they change', async () => {
    const { inUse } = await start({ tlsNames: ['Chat.Internal', '*.example.com', '10.0.0.7'] })
    const loopback = 'IP Address:127.0.0.1'
    for (const name of ['DNS:chat.internal', 'DNS:*.example.com', 'IP Address:10.0.0.7', loopback]) {
      assert.ok(names(inUse)?.includes(name), name)
    }
    assert.ok(!names((await start()).inUse)?.includes('chat.internal'))
  })

  test('is renewed while the server runs, when it has less than 30 days left', async () => {
    await start()
    stop()
    clock.advance(366 * dayMs)
    const { inUse, next } = await start()
    const { validToDate } = new X509Certificate(inUse.certificatePem)
    assert.equal(validToDate.getTime(), startMs + 397 * dayMs - 3_600_000)
    clock.advance(dayMs)
    const renewed = await next
    assert.ok(new X509Certificate(renewed.certificatePem).validToDate.getTime() > clock.now() + 396 * dayMs)
    assert.deepEqual((await start()).inUse, renewed)
  })

  const damages: [what: string, text: (kept: string, other: CertifiedKey) => string][] = [
    ['empty', () => ''],
    ['not PEM', () => 'certificate'],
    ['cut off within the certificate', (kept) => kept.slice(0, 100)],
    ['cut off within the key', (kept) => kept.slice(0, -40)],
    ['without a key', (kept) => kept.slice(0, kept.indexOf('-----BEGIN PRIVATE KEY-----'))],
    [
      'with the key of another',
      (kept, { privateKeyPem }) => kept.slice(0, kept.indexOf('-----BEGIN P')) + privateKeyPem,
    ],
  ]
  for (const [what, text] of damages) {
    test(`is made anew with a warning when the kept one is ${what}`, async () => {
      const { inUse } = await start()
      const file = join(folder.path, 'certificate.pem')
      const other = await issueCertificate(authority, ['localhost'], startMs)
      writeFileSync(file, text(readFileSync(file, 'utf8'), other))
      const again = await start()
      assert.notEqual(again.inUse.certificatePem, inUse.certificatePem)
      assert.deepEqual(warnings, ['certificate.pem is damaged: issuing another certificate'])
      assert.deepEqual((await start()).inUse, again.inUse)
    })
  }
})

test("the operator's certificate is used instead, and none is made", async () => {
  const own = await issueCertificate(await createAuthority(startMs), ['chat.example.com'], startMs)
  const tlsFiles = { certificate: join(folder.path, 'own.crt'), key: join(folder.path, 'own.key') }
  writeFileSync(tlsFiles.certificate, own.certificatePem)
  writeFileSync(tlsFiles.key, own.privateKeyPem)
  assert.deepEqual((await start({ tlsFiles })).inUse, own)
  assert.equal(folder.read('certificate.pem'), undefined)
  assert.equal(folder.read('ca.pem'), undefined)
})
