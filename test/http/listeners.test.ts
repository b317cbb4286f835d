import assert from 'node:assert/strict'
import { randomUUID, X509Certificate } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect as connectPlainly } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { suite, type TestContext, test } from 'node:test'
import { connect } from 'node:tls'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import { readConfig } from '../../src/config.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { type RunningServer, startServer } from '../../src/server.ts'
import { settleMs } from '../../src/tls/certificate-files.ts'
import { createAuthority, issueCertificate } from '../../src/tls/issue-certificate.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { until } from '../support/until.ts'

/** A server on free ports, in a folder of its own. */
async function start(t: TestContext, environment: Record<string, string>) {
  let server: RunningServer | undefined
  const folder = mkdtempSync(join(tmpdir(), 'carillon-listeners-'))
  t.after(async () => {
    await server?.close()
    rmSync(folder, { recursive: true })
  })
  const flags = ['--data-dir', join(folder, 'data'), '--http-port', '0', '--https-port', '0']
  const { config } = readConfig(flags, environment, () => '')
  const clock = new ManualClock(Date.now())
  server = await startServer(config, { clock, log: silentLog, newId: randomUUID, random: Math.random })
  const told = JSON.parse(readFileSync(join(folder, 'data', 'endpoint.json'), 'utf8'))
  const client = new ChimeSDKMessaging({ ...server, endpoint: server.endpoint.http, region: 'us-east-1' })
  t.after(() => client.destroy())
  const { Endpoint } = await client.getMessagingSessionEndpoint()
  return { ...server, clock, told, sessionsAt: Endpoint?.Url }
}

async function certificateOf(url: string | undefined): Promise<X509Certificate> {
  const { hostname: host, port } = new URL(url ?? '')
  const socket = connect({ host, port: Number(port), rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const certificate = socket.getPeerX509Certificate()
  socket.destroy()
  assert.ok(certificate)
  return certificate
}

suite('with CARILLON_TLS=off', () => {
  test('there is no HTTPS, and sessions are told to come to the HTTP port', async (t) => {
    const { endpoint, told, sessionsAt } = await start(t, { CARILLON_TLS: 'off' })
    assert.deepEqual([endpoint.https, endpoint.ca], [undefined, undefined])
    assert.ok(!('https' in told) && !('ca' in told))
    assert.equal(sessionsAt, `localhost:${new URL(endpoint.http).port}`)
    assert.equal(sessionsAt, told.wss)
  })

  test('sessions are told the public host', async (t) => {
    const { sessionsAt } = await start(t, { CARILLON_TLS: 'off', CARILLON_PUBLIC_HOST: 'chat.example.com' })
    assert.equal(sessionsAt, 'chat.example.com')
  })
})

test('what is not HTTP is answered in the form of AWS', async (t) => {
  const { endpoint } = await start(t, {})
  const { hostname: host, port } = new URL(endpoint.http)
  const socket = connectPlainly({ host, port: Number(port) })
  socket.write('nonsense\r\n\r\n')
  assert.match(await text(socket), /^HTTP\/1\.1 400 .*\r\nx-amzn-ErrorType: BadRequestException\r\n/s)
})

test("the operator's certificate is shown, and the next one without a restart", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'carillon-tls-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const files = { CARILLON_TLS_CERT: join(folder, 'cert.pem'), CARILLON_TLS_KEY: join(folder, 'key.pem') }
  const authority = await createAuthority(Date.now())
  const issue = async (name: string) => {
    const { certificatePem, privateKeyPem } = await issueCertificate(authority, [name], Date.now())
    writeFileSync(files.CARILLON_TLS_CERT, certificatePem)
    writeFileSync(files.CARILLON_TLS_KEY, privateKeyPem)
    return new X509Certificate(certificatePem).fingerprint256
  }
  const first = await issue('one.example.com')
  const { endpoint, clock } = await start(t, files)
  assert.equal(endpoint.ca, undefined)
  assert.equal((await certificateOf(endpoint.https)).fingerprint256, first)
  const second = await issue('two.example.com')
  await until(async () => {
    clock.advance(settleMs)
    return (await certificateOf(endpoint.https)).fingerprint256 === second
  })
})

test('a server does not start with a certificate that cannot be used', async (t) => {
  const missing = { CARILLON_TLS_CERT: '/nowhere/cert.pem', CARILLON_TLS_KEY: '/nowhere/key.pem' }
  await assert.rejects(start(t, missing), /the certificate \/nowhere\/cert\.pem and the key .* cannot be used: ENOENT/)
})
