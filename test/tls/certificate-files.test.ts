import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, before, beforeEach, suite, test } from 'node:test'
import { silentLog } from '../../src/runtime/log.ts'
import {
  type CertificateFiles,
  checkEveryMs,
  followCertificateFiles,
  settleMs,
} from '../../src/tls/certificate-files.ts'
import { type CertifiedKey, createAuthority, issueCertificate } from '../../src/tls/issue-certificate.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/until.ts'

let first: CertifiedKey
let second: CertifiedKey
let folder: string
let clock: ManualClock
let used: CertifiedKey[]
let complaints: string[]
let stop: () => void

before(async () => {
  const authority = await createAuthority(Date.now())
  first = await issueCertificate(authority, ['chat.example.com'], Date.now())
  second = await issueCertificate(authority, ['chat.example.com'], Date.now())
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'carillon-certificate-'))
  clock = new ManualClock()
  used = []
  complaints = []
  stop = () => {}
})
afterEach(() => {
  stop()
  rmSync(folder, { recursive: true })
})

/** As orchestrators do it: who reads a file sees the old text or the new one. */
function replace(path: string, text: string): void {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

function turnLink(path: string, target: string): void {
  symlinkSync(target, `${path}.new`)
  renameSync(`${path}.new`, path)
}

function write({ certificate, key }: CertificateFiles, pair: CertifiedKey): void {
  replace(certificate, pair.certificatePem)
  replace(key, pair.privateKeyPem)
}

const filesIn = (path: string): CertificateFiles => ({ certificate: join(path, 'tls.crt'), key: join(path, 'tls.key') })

function follow(files: CertificateFiles): void {
  const log = { ...silentLog, error: (_: object, text: string) => void complaints.push(text) }
  stop = followCertificateFiles(files, (pair) => void used.push(pair), { clock, log })
}

/** Lets the folder's watcher notice what was changed, and then the time pass that the change is given. */
async function settle(): Promise<void> {
  await until(() => clock.nextAlarmMs === clock.now() + settleMs)
  clock.advance(settleMs)
}

suite('a pair that is there at the start', () => {
  test('is put to use', () => {
    write(filesIn(folder), first)
    follow(filesIn(folder))
    assert.deepEqual(used, [first])
  })

  const refused: [what: string, pair: () => Partial<CertifiedKey>, reason: RegExp][] = [
    ['without a certificate', () => ({ privateKeyPem: first.privateKeyPem }), /cannot be used: ENOENT: .*tls\.crt/],
    ['without a key', () => ({ certificatePem: first.certificatePem }), /cannot be used: ENOENT: .*tls\.key/],
    ['with an empty certificate', () => ({ ...first, certificatePem: '' }), /the certificate must be PEM/],
    ['with a key that is none', () => ({ ...first, privateKeyPem: 'key' }), /the private key must be PEM/],
    [
      'with the key of another',
      () => ({ ...first, privateKeyPem: second.privateKeyPem }),
      /the private key does not belong to the certificate/,
    ],
  ]
  for (const [what, pair, reason] of refused) {
    test(`${what} is refused`, () => {
      const { certificatePem, privateKeyPem } = pair()
      const { certificate, key } = filesIn(folder)
      if (certificatePem !== undefined) replace(certificate, certificatePem)
      if (privateKeyPem !== undefined) replace(key, privateKeyPem)
      assert.throws(() => follow(filesIn(folder)), reason)
      assert.deepEqual(used, [])
      assert.equal(clock.nextAlarmMs, undefined)
    })
  }
})

suite('a pair that is replaced', () => {
  test('is put to use soon, both files at once', async () => {
    write(filesIn(folder), first)
    follow(filesIn(folder))
    replace(filesIn(folder).certificate, second.certificatePem)
    await until(() => clock.nextAlarmMs === clock.now() + settleMs)
    replace(filesIn(folder).key, second.privateKeyPem)
    clock.advance(settleMs)
    assert.deepEqual(used, [first, second])
    assert.deepEqual(complaints, [])
  })

  test('by turning a link beside the files, as Kubernetes does, is put to use soon', async () => {
    for (const [name, pair] of Object.entries({ one: first, two: second })) {
      mkdirSync(join(folder, name))
      write(filesIn(join(folder, name)), pair)
    }
    symlinkSync('one', join(folder, '..data'))
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(join('..data', name), join(folder, name))
    follow(filesIn(folder))
    turnLink(join(folder, '..data'), 'two')
    await settle()
    assert.deepEqual(used, [first, second])
  })

  test('by turning a link further up, which no watcher sees, is put to use within five minutes', () => {
    for (const [name, pair] of Object.entries({ one: first, two: second })) {
      mkdirSync(join(folder, name))
      write(filesIn(join(folder, name)), pair)
    }
    symlinkSync('one', join(folder, 'live'))
    follow(filesIn(join(folder, 'live')))
    turnLink(join(folder, 'live'), 'two')
    clock.advance(checkEveryMs - 1)
    assert.deepEqual(used, [first])
    clock.advance(1)
    assert.deepEqual(used, [first, second])
  })

  test('by a broken one is told once, and stays until there is a sound one', async () => {
    const { certificate } = filesIn(folder)
    write(filesIn(folder), first)
    follow(filesIn(folder))
    replace(certificate, second.certificatePem)
    await settle()
    clock.advance(3 * checkEveryMs)
    assert.equal(complaints.length, 1)
    assert.match(complaints[0] ?? '', /does not belong to the certificate; the previous certificate stays in use$/)
    assert.deepEqual(used, [first])
    replace(certificate, first.certificatePem)
    await settle()
    assert.deepEqual(used.at(-1), first)
    write(filesIn(folder), second)
    await settle()
    assert.deepEqual(used.at(-1), second)
    assert.equal(complaints.length, 1)
  })

  test('by nothing is told at each look', () => {
    write(filesIn(folder), first)
    follow(filesIn(folder))
    rmSync(filesIn(folder).key)
    clock.advance(2 * checkEveryMs)
    assert.ok(complaints.length >= 2)
  })
})

test('a folder in which other files change is looked into, and nothing is done', async () => {
  write(filesIn(folder), first)
  follow(filesIn(folder))
  for (const name of ['a', 'b', 'c']) writeFileSync(join(folder, name), '')
  await settle()
  assert.deepEqual(used, [first])
})

test('when it is stopped nothing waits any more', async () => {
  write(filesIn(folder), first)
  follow(filesIn(folder))
  write(filesIn(folder), second)
  await until(() => clock.nextAlarmMs === clock.now() + settleMs)
  stop()
  assert.equal(clock.nextAlarmMs, undefined)
})
