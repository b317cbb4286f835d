import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite, type TestContext, test } from 'node:test'
import { exportSPKI, generateKeyPair, importJWK } from 'jose'
import { IdentityRejection } from '../../src/keys/identity.ts'
import { WebIdentity } from '../../src/keys/web-identity.ts'
import { audience, Issuer } from '../support/issuer.ts'
import { ManualClock } from '../support/manual-clock.ts'

async function stage(t: TestContext, userClaim = 'sub') {
  const issuer = await Issuer.open()
  t.after(() => issuer.close())
  const clock = new ManualClock()
  const warnings: string[] = []
  const log = { warn: (facts: object, text: string) => void warnings.push(JSON.stringify({ ...facts, text })) }
  const identity = new WebIdentity({ issuer: issuer.url, audiences: ['other', audience], userClaim }, { clock, log })
  const token = (options: Partial<Parameters<Issuer['token']>[0]> = {}) =>
    issuer.token({ issuedAtMs: clock.now(), ...options, claims: { sub: 'ann', ...options.claims } })
  return { issuer, clock, warnings, identity, token }
}

const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')

async function rejection(work: Promise<unknown>): Promise<{ reason: string; message: string }> {
  const error = await work.then(
    () => assert.fail('the token was accepted'),
    (thrown: unknown) => thrown,
  )
  assert.ok(error instanceof IdentityRejection, String(error))
  return error
}

suite('a web identity', () => {
  test('is what a token of the issuer says', async (t) => {
    const { identity, token } = await stage(t)
    assert.deepEqual(await identity.verify(await token({ claims: { name: 'Ann' } })), {
      user: 'ann',
      subject: 'ann',
      audience,
      name: 'Ann',
    })
  })

  test('names the user by the claim of the setting', async (t) => {
    const { identity, token } = await stage(t, 'chat_user')
    assert.equal((await identity.verify(await token({ claims: { chat_user: 'bob' } }))).user, 'bob')
    assert.match((await rejection(identity.verify(await token()))).message, /"chat_user"/)
    assert.match(
      (await rejection(identity.verify(await token({ claims: { chat_user: 7 } })))).message,
      /must be a text/,
    )
  })

  test('is rejected without a signature, and with one by the public key as a secret', async (t) => {
    const { issuer, identity, token } = await stage(t)
    const payload = (await token()).split('.')[1]
    const unsigned = `${encode({ alg: 'none', kid: 'first' })}.${payload}.`
    assert.equal((await rejection(identity.verify(unsigned))).reason, 'invalid')
    const jwk = await issuer.publicJwk()
    const pem = await exportSPKI((await importJWK(jwk, 'RS256')) as CryptoKey)
    for (const secret of [pem, JSON.stringify(jwk), jwk.n!]) {
      const text = `${encode({ alg: 'HS256', kid: 'first' })}.${payload}`
      const signed = `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
      const { message } = await rejection(identity.verify(signed))
      assert.equal(message, 'The algorithm of the token is not accepted')
    }
  })

  test('is rejected if another key signed it, or a part of it is another', async (t) => {
    const { identity, token } = await stage(t)
    const { privateKey } = await generateKeyPair('RS256')
    const { message } = await rejection(identity.verify(await token({ key: privateKey })))
    assert.equal(message, 'The signature of the token does not match')
    const [header, , signature] = (await token()).split('.')
    const [, other] = (await token({ claims: { sub: 'bob' } })).split('.')
    await rejection(identity.verify(`${header}.${other}.${signature}`))
    for (const text of ['', '.', '..', 'x.y.z', `${header}`, 'a'.repeat(20_001)]) {
      assert.equal((await rejection(identity.verify(text))).reason, 'invalid', text.slice(0, 20))
    }
  })

  test('is rejected with another audience or issuer, without an end, too early and too late', async (t) => {
    const { identity, token, clock } = await stage(t)
    const now = Math.floor(clock.now() / 1000)
    for (const [claims, message] of [
      [{ aud: 'another client' }, /"aud"/],
      [{ aud: undefined }, /"aud"/],
      [{ iss: 'https://accounts.example' }, /"iss"/],
      [{ iss: undefined }, /"iss"/],
      [{ exp: undefined }, /"exp"/],
      [{ nbf: now + 31 }, /"nbf"/],
      [{ sub: undefined }, /"sub"/],
    ] as const) {
      assert.match((await rejection(identity.verify(await token({ claims })))).message, message)
    }
    await identity.verify(await token({ claims: { aud: ['another client', audience], exp: now - 29, nbf: now + 29 } }))
    assert.equal((await rejection(identity.verify(await token({ claims: { exp: now - 31 } })))).reason, 'expired')
  })

  test('calls no address that a token names, and takes no key from it', async (t) => {
    const { identity, token } = await stage(t)
    let calls = 0
    const trap = createServer((_request, response) => {
      calls += 1
      response.end('{}')
    })
    await once(trap.listen(0, '127.0.0.1'), 'listening')
    t.after(() => trap.close())
    const address = `http://127.0.0.1:${(trap.address() as AddressInfo).port}/`
    const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
    const jwk = { ...(await crypto.subtle.exportKey('jwk', publicKey)), alg: 'RS256' }
    for (const header of [{ jku: address }, { x5u: address }, { jwk }, { kid: address }, { jku: address, kid: 'x' }]) {
      await rejection(identity.verify(await token({ header, key: privateKey })))
    }
    await rejection(identity.verify(await token({ claims: { iss: address }, key: privateKey })))
    assert.equal(calls, 0)
    // An unused header parameter does no harm to a token of the issuer.
    assert.equal((await identity.verify(await token({ header: { jku: address } }))).user, 'ann')
  })
})

suite('the keys of an issuer', () => {
  test('are fetched once for 10,000 unknown key ids, and again after 30 s', async (t) => {
    const { issuer, identity, token, clock } = await stage(t)
    const [, payload, signature] = (await token()).split('.')
    const attempts = Array.from({ length: 10_000 }, (_, number) =>
      rejection(identity.verify(`${encode({ alg: 'RS256', kid: `k${number}` })}.${payload}.${signature}`)),
    )
    assert.ok((await Promise.all(attempts)).every(({ reason }) => reason === 'invalid'))
    assert.equal(issuer.fetches, 1)
    await identity.verify(await token())
    clock.advance(29_999)
    await rejection(identity.verify(await token({ header: { kid: 'unknown' } })))
    assert.equal(issuer.fetches, 1)
    clock.advance(1)
    await rejection(identity.verify(await token({ header: { kid: 'unknown' } })))
    assert.equal(issuer.fetches, 2)
  })

  test('are fetched again for a new key, and after ten minutes for a withdrawn one', async (t) => {
    const { issuer, identity, token, clock } = await stage(t)
    await identity.verify(await token())
    const old = await token({ claims: { exp: Math.floor(clock.now() / 1000) + 36_000 } })
    clock.advance(30_000)
    await issuer.rotate('second')
    await identity.verify(await token())
    await rejection(identity.verify(old))
    await issuer.rotate('second')
    clock.advance(10 * 60_000)
    await identity.verify(await token())
    assert.equal(issuer.fetches, 3)
  })

  test('are used for an hour while the issuer does not respond', async (t) => {
    const { issuer, identity, token, clock, warnings } = await stage(t)
    await identity.verify(await token())
    issuer.override = (_request, response) => void response.writeHead(503).end()
    clock.advance(60 * 60_000 - 1)
    await identity.verify(await token())
    assert.equal(warnings.length, 1)
    clock.advance(1)
    assert.equal((await rejection(identity.verify(await token()))).reason, 'issuer unreachable')
    issuer.override = undefined
    clock.advance(30_000)
    await identity.verify(await token())
  })

  test('are fetched at most once in 30 s from an issuer that fails, and its failures are logged without secrets', async (t) => {
    const { issuer, identity, token, clock, warnings } = await stage(t)
    const failures: [string, NonNullable<Issuer['override']>][] = [
      ['responded with 302', (_request, response) => void response.writeHead(302, { location: '/elsewhere' }).end()],
      ['JSON', (_request, response) => void response.end('<html>')],
      ['max size', (_request, response) => void response.end(`"${'x'.repeat(300_000)}"`)],
      ['another issuer', (_request, response) => void response.end('{"issuer":"https://accounts.example"}')],
    ]
    for (const [words, override] of failures) {
      issuer.override = override
      const before = issuer.requests.length
      const attempts = Array.from({ length: 20 }, async () => rejection(identity.verify(await token())))
      assert.ok((await Promise.all(attempts)).every(({ reason }) => reason === 'issuer unreachable'))
      assert.equal(issuer.requests.length, before + 1)
      assert.match(warnings.at(-1) ?? '', new RegExp(words))
      assert.doesNotMatch(warnings.at(-1) ?? '', /eyJ/)
      clock.advance(30_000)
    }
  })

  test('come from an address with the scheme of the issuer, within 5 s', async (t) => {
    const { issuer, identity, token, clock, warnings } = await stage(t)
    issuer.discovery = { jwks_uri: 'file:///etc/passwd' }
    await rejection(identity.verify(await token()))
    assert.match(warnings.at(-1) ?? '', /no jwks_uri with the scheme/)
    clock.advance(30_000)
    const asked = Promise.withResolvers<void>()
    issuer.override = (_request, response) => {
      response.writeHead(200).write('{')
      asked.resolve()
    }
    const waiting = rejection(identity.verify(await token()))
    await asked.promise
    clock.advance(5_000)
    assert.equal((await waiting).reason, 'issuer unreachable')
    assert.match(warnings.at(-1) ?? '', /timed out after 5 s/)
  })
})
