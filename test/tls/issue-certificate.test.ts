import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { before, suite, test } from 'node:test'
import { type ConnectionOptions, connect, createServer } from 'node:tls'
import {
  type CertifiedKey,
  certificateIsFresh,
  certificateNames,
  createAuthority,
  issueCertificate,
} from '../../src/tls/issue-certificate.ts'

const dayMs = 24 * 60 * 60 * 1000
// TLS looks at the system's clock.
const nowMs = Date.now()
const names = ['localhost', '127.0.0.1', '::1', 'chat.example.com']

let authority: CertifiedKey
let issued: CertifiedKey
before(async () => {
  authority = await createAuthority(nowMs)
  issued = await issueCertificate(authority, names, nowMs)
})

suite('the authority', () => {
  test('may sign certificates but no further authorities, for ten years', () => {
    const certificate = new X509Certificate(authority.certificatePem)
    assert.equal(certificate.ca, true)
    assert.match(certificate.subject, /^CN=Carillon local CA [0-9a-f]{8}$/)
    assert.ok(certificate.verify(certificate.publicKey))
    assert.ok(certificate.validFromDate.getTime() < nowMs - dayMs / 48)
    assert.ok(certificate.validToDate.getTime() > nowMs + 3649 * dayMs)
    const basicConstraintsWithPathLength0 = '30060101ff020100'
    assert.ok(certificate.raw.toString('hex').includes(basicConstraintsWithPathLength0))
  })

  test('is another one each time', async () => {
    const other = new X509Certificate((await createAuthority(nowMs)).certificatePem)
    assert.notEqual(other.subject, new X509Certificate(authority.certificatePem).subject)
  })
})

suite('an issued certificate', () => {
  test('is for the names it was asked for and for no others', () => {
    const certificate = new X509Certificate(issued.certificatePem)
    assert.equal(certificate.ca, false)
    for (const host of ['localhost', 'chat.example.com']) assert.equal(certificate.checkHost(host), host)
    for (const address of ['127.0.0.1', '::1']) assert.equal(certificate.checkIP(address), address)
    assert.equal(certificate.checkHost('example.com'), undefined)
    assert.equal(certificate.checkIP('127.0.0.2'), undefined)
  })

  test('names the authority that signed it, and is for servers, for at most 397 days', () => {
    const certificate = new X509Certificate(issued.certificatePem)
    assert.ok(certificate.checkIssued(new X509Certificate(authority.certificatePem)))
    const authorityKeyIdentifier = '0603551d23'
    assert.ok(certificate.raw.toString('hex').includes(authorityKeyIdentifier))
    assert.deepEqual(certificate.keyUsage, ['1.3.6.1.5.5.7.3.1'])
    const validMs = certificate.validToDate.getTime() - certificate.validFromDate.getTime()
    assert.ok(validMs > 396 * dayMs && validMs <= 397 * dayMs)
    assert.ok(certificate.validFromDate.getTime() < nowMs - dayMs / 48)
  })

  test('has a positive serial number of its own with at least 64 random bits', async () => {
    const again = await issueCertificate(authority, names, nowMs)
    const numbers = [issued, again].map(({ certificatePem }) => new X509Certificate(certificatePem).serialNumber)
    assert.notEqual(numbers[0], numbers[1])
    for (const number of numbers) assert.ok(BigInt(`0x${number}`) > 2n ** 64n)
  })
})

suite('over TLS', () => {
  /** The host and what a client that trusts `ca` makes of a server with the issued certificate. */
  async function handshake(ca: string, options: ConnectionOptions): Promise<string> {
    const server = createServer({ cert: issued.certificatePem, key: issued.privateKeyPem }, (socket) => socket.end())
    server.on('tlsClientError', () => {})
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const socket = connect({ ca, port, host: '127.0.0.1', ...options })
    try {
      await once(socket, 'secureConnect')
      return 'trusted'
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? 'unknown'
    } finally {
      socket.destroy()
      server.close()
    }
  }

  test('a client that trusts the authority connects by name and by address', async () => {
    assert.equal(await handshake(authority.certificatePem, { host: '127.0.0.1' }), 'trusted')
    assert.equal(await handshake(authority.certificatePem, { servername: 'localhost' }), 'trusted')
    assert.equal(await handshake(authority.certificatePem, { servername: 'chat.example.com' }), 'trusted')
  })

  test('a client refuses a name that is not in the certificate', async () => {
    const code = await handshake(authority.certificatePem, { servername: 'other.example.com' })
    assert.equal(code, 'ERR_TLS_CERT_ALTNAME_INVALID')
  })

  test('a client that trusts another authority refuses', async () => {
    const other = await createAuthority(nowMs)
    assert.equal(await handshake(other.certificatePem, {}), 'UNABLE_TO_VERIFY_LEAF_SIGNATURE')
  })
})

suite('certificateIsFresh', () => {
  const isFresh = (asked: string[], atMs: number, by = authority) =>
    certificateIsFresh(issued.certificatePem, asked, by.certificatePem, atMs)

  test('accepts the same names in any order', () => {
    assert.ok(isFresh(names, nowMs))
    assert.ok(isFresh([...names, 'localhost'].reverse(), nowMs))
  })

  test('refuses more, fewer or other names', () => {
    assert.ok(!isFresh([...names, 'more.example.com'], nowMs))
    assert.ok(!isFresh(names.slice(1), nowMs))
    assert.ok(!isFresh(['127.0.0.2', ...names.slice(1)], nowMs))
  })

  test('refuses one that ends within 30 days or has not begun', () => {
    assert.ok(isFresh(names, nowMs + 366 * dayMs))
    assert.ok(!isFresh(names, nowMs + 367 * dayMs))
    assert.ok(!isFresh(names, nowMs - dayMs))
  })

  test('refuses one of another authority', async () => {
    assert.ok(!isFresh(names, nowMs, await createAuthority(nowMs)))
  })
})

suite('certificateNames', () => {
  test('are the loopback ones, the listening address, the public host and further ones', () => {
    const loopback = ['localhost', '127.0.0.1', '::1']
    assert.deepEqual(certificateNames('127.0.0.1'), loopback)
    assert.deepEqual(certificateNames('0.0.0.0', 'Chat.Example.com:9443'), [...loopback, 'chat.example.com'])
    assert.deepEqual(certificateNames('::', '[fd00::7]:9443'), [...loopback, 'fd00::7'])
    assert.deepEqual(certificateNames('10.0.0.7', 'localhost:8443'), [...loopback, '10.0.0.7'])
    assert.deepEqual(certificateNames('::1', 'a:1', ['A', '*.B', '::1']), [...loopback, 'a', '*.b'])
  })
})
