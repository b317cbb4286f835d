import assert from 'node:assert/strict'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { nkeys } from '@nats-io/transport-node'
import { connectNatsBus } from '../../src/bus/nats.ts'
import type { NatsServers } from '../../src/bus/nats-options.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { createAuthority, issueCertificate } from '../../src/tls/issue-certificate.ts'
import { startNatsServer, withoutNatsServer } from '../support/nats-server.ts'
import { until } from '../support/until.ts'

const skip = withoutNatsServer

const connect = (nats: NatsServers) =>
  connectNatsBus({ nats, prefix: 'test', nodeName: 'test', clock: systemClock, log: silentLog })

async function connects(nats: NatsServers): Promise<void> {
  const bus = await connect(nats)
  assert.equal(bus.connected, true)
  await bus.close()
}

async function folder(context: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'carillon-nats-test-'))
  context.after(() => rm(path, { recursive: true }))
  return path
}

test('NATS that is not there is told in one line, without the password', async () => {
  const listener = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => listener.once('listening', resolve))
  const { port } = listener.address() as { port: number }
  await new Promise((resolve) => listener.close(resolve))
  await assert.rejects(connect({ servers: [`nats://ann:secret@127.0.0.1:${port}`] }), {
    message: `NATS at nats://127.0.0.1:${port} cannot be used: connection refused`,
  })
})

test('one server of several is enough', { skip }, async (context) => {
  const [gone, server] = [await startNatsServer(context), await startNatsServer(context)]
  await gone.kill()
  await connects({ servers: [gone.url, server.url] })
})

test('a user with a password, or a token, comes from the URL', { skip }, async (context) => {
  const user = await startNatsServer(context, {
    lines: ['authorization { user: ann, password: "s3cret/" }'],
    credentials: 'ann:s3cret%2F',
  })
  await connects({ servers: [user.url] })
  const token = await startNatsServer(context, {
    lines: ['authorization { token: "t0ken" }'],
    credentials: 't0ken',
  })
  await connects({ servers: [token.url] })
  await assert.rejects(connect({ servers: [`nats://ann:wrong@127.0.0.1:${user.port}`] }), {
    message: `NATS at nats://127.0.0.1:${user.port} cannot be used: Authorization Violation`,
  })
})

test('a user who may not publish or subscribe is told so at the start', { skip }, async (context) => {
  for (const allowed of ['publish', 'subscribe']) {
    const lines = [
      `authorization { users = [{ user: ann, password: secret, permissions: { ${allowed}: ">", `,
      `${allowed === 'publish' ? 'subscribe' : 'publish'}: "other.>" } }] }`,
    ]
    const server = await startNatsServer(context, { lines, credentials: 'ann:secret' })
    await assert.rejects(connect({ servers: [server.url] }), /cannot be used: Permissions Violation for .* "test\./)
  }
})

test('TLS: the authority comes from a file, and a server of another one is refused', { skip }, async (context) => {
  const path = await folder(context)
  const now = systemClock.now()
  const [authority, other] = [await createAuthority(now), await createAuthority(now)]
  const { certificatePem, privateKeyPem } = await issueCertificate(authority, ['127.0.0.1', 'localhost'], now)
  const files = {
    ca: authority.certificatePem,
    other: other.certificatePem,
    certificate: certificatePem,
    key: privateKeyPem,
  }
  for (const [name, pem] of Object.entries(files)) await writeFile(join(path, `${name}.pem`), pem)
  const lines = [`tls { cert_file: "${path}/certificate.pem", key_file: "${path}/key.pem" }`]
  const server = await startNatsServer(context, { lines, scheme: 'tls' })
  await connects({ servers: [server.url], caFile: join(path, 'ca.pem') })
  await connects({ servers: [`tls://localhost:${server.port}`], caFile: join(path, 'ca.pem') })
  await assert.rejects(
    connect({ servers: [server.url], caFile: join(path, 'other.pem') }),
    /cannot be used: .*certificate/,
  )
  await assert.rejects(connect({ servers: [server.url] }), /cannot be used: .*certificate/)
  await assert.rejects(connect({ servers: [server.url], caFile: join(path, 'none.pem') }), /none\.pem/)
})

test('TLS that is asked for is not given up when the server has none', { skip }, async (context) => {
  const server = await startNatsServer(context)
  await assert.rejects(connect({ servers: [`tls://127.0.0.1:${server.port}`] }), /cannot be used: .*tls/i)
})

test('a credentials file names a user by its key', { skip }, async (context) => {
  const path = await folder(context)
  const [operator, account, user] = [nkeys.createOperator(), nkeys.createAccount(), nkeys.createUser()]
  const operatorToken = token(operator, operator, 'operator', {})
  const accountToken = token(operator, account, 'account', { limits: noLimits })
  const server = await startNatsServer(context, {
    lines: [
      `operator: ${operatorToken}`,
      'resolver: MEMORY',
      `resolver_preload: { ${account.getPublicKey()}: ${accountToken} }`,
    ],
  })
  const userToken = token(account, user, 'user', { ...noLimits, pub: {}, sub: {} })
  const seed = new TextDecoder().decode(user.getSeed())
  const text = [
    ['NATS USER JWT', userToken],
    ['USER NKEY SEED', seed],
  ].map(([name, value]) => `-----BEGIN ${name}-----\n${value}\n------END ${name}------\n`)
  await writeFile(join(path, 'user.creds'), text.join('\n'))
  await connects({ servers: [server.url], credentialsFile: join(path, 'user.creds') })
  await assert.rejects(connect({ servers: [server.url] }), /cannot be used: Authorization Violation/)
  await assert.rejects(connect({ servers: [server.url], credentialsFile: join(path, 'none.creds') }), /none\.creds/)
  // While the file is being renewed, a connection that breaks comes back by what it said before.
  const bus = await connect({ servers: [server.url], credentialsFile: join(path, 'user.creds') })
  context.after(() => bus.close())
  await writeFile(join(path, 'user.creds'), '-----BEGIN NATS')
  await server.kill()
  await until(() => !bus.connected)
  await server.start()
  await until(() => bus.connected)
})

const noLimits = { subs: -1, data: -1, payload: -1, conn: -1, leaf: -1, imports: -1, exports: -1, wildcards: true }

type KeyPair = ReturnType<typeof nkeys.createUser>

/** A JWT as NATS has them: signed by the issuer's ed25519 key. */
function token(issuer: KeyPair, subject: KeyPair, type: string, more: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const claims = {
    jti: type,
    iat: 1_700_000_000,
    iss: issuer.getPublicKey(),
    sub: subject.getPublicKey(),
    name: type,
    nats: { type, version: 2, ...more },
  }
  const signed = `${part({ typ: 'JWT', alg: 'ed25519-nkey' })}.${part(claims)}`
  return `${signed}.${Buffer.from(issuer.sign(new TextEncoder().encode(signed))).toString('base64url')}`
}

const refused: [sentence: string, servers: string[], RegExp][] = [
  ['no server', [], /^NATS at no address cannot be used: give at least one server/],
  ['another scheme', ['http://ann:secret@nats'], /a server is nats:\/\/host:port .*, but one is http:\/\/nats$/],
  ['no scheme', ['ann:secret@nats:4222'], /but one is nats:4222$/],
  ['a path', ['nats://nats:4222/x'], /but one is nats:\/\/nats:4222\/x$/],
  [
    'two users',
    ['nats://ann:secret@a', 'nats://bob:secret@b'],
    /^NATS at nats:\/\/a, nats:\/\/b .*servers of a cluster have one user/,
  ],
]
for (const [sentence, servers, message] of refused) {
  test(`a list of servers with ${sentence} is rejected, without its password`, async () => {
    await assert.rejects(connect({ servers }), (error: Error) => {
      assert.match(error.message, message)
      assert.doesNotMatch(error.message, /secret/)
      return true
    })
  })
}

test('a prefix that would not be a subject is refused', async () => {
  const parts = { nats: { servers: ['nats://a'] }, nodeName: 'test', clock: systemClock, log: silentLog }
  for (const prefix of ['', 'a b', 'a.', '.a', 'a.*', '>']) {
    await assert.rejects(connectNatsBus({ ...parts, prefix }), /prefix of NATS subjects is words/)
  }
})
