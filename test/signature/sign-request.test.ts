import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rootGrant } from '../../src/keys/grant.ts'
import { signRequest, type UnsignedRequest } from '../../src/signature/sign-request.ts'
import { verifyRequest } from '../../src/signature/verify-request.ts'
import { sign } from '../support/smithy-signer.ts'

const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'an example, not a secret', grant: rootGrant }
const temporary = { ...credentials, accessKeyId: 'ASIAEXAMPLE', sessionToken: 'token+of/this=key' }
const region = 'eu-central-1'
const signedAtMs = Date.UTC(2026, 0, 2, 3, 4, 5)

const invoke: UnsignedRequest = {
  method: 'POST',
  target: `/2015-03-31/functions/${encodeURIComponent('arn:aws:lambda:eu-central-1:111122223333:function:f')}/invocations?Qualifier=%24LATEST`,
  headers: { host: '127.0.0.1:3002', 'content-type': 'application/octet-stream', 'x-amz-invocation-type': 'Event' },
  body: '{"Content":"good morning ☀️"}',
}

for (const [name, key] of Object.entries({ 'a key': credentials, 'a temporary key': temporary })) {
  test(`with ${name}, the headers are those of the SDK's signer`, async () => {
    const headers = signRequest(invoke, key, { region, service: 'lambda' }, signedAtMs)
    const signed = await sign(invoke, {
      credentials: key,
      signingDate: new Date(signedAtMs),
      region,
      service: 'lambda',
    })
    assert.deepEqual(headers, signed.headers)
  })
}

test('whatever is signed is accepted by the one who verifies', async () => {
  const requests = fc.record({
    method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE'),
    target: fc.tuple(fc.webPath(), fc.webQueryParameters()).map(([path, query]) => `/${path}?${query}`),
    headers: fc
      .dictionary(fc.stringMatching(/^x-[a-z]{1,8}$/), fc.stringMatching(/^[ -~]{0,20}$/))
      .map((headers) => ({ ...headers, host: 'chime.example.com' })),
    body: fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array()),
  })
  await fc.assert(
    fc.asyncProperty(requests, fc.constantFrom(credentials, temporary), async (request, key) => {
      const headers = signRequest(request, key, { region, service: 'chime' }, signedAtMs)
      const received = { ...request, headers, body: Buffer.from(request.body) }
      assert.deepEqual(await verifyRequest(received, () => key, { region, service: 'chime' }, signedAtMs), {
        ok: true,
        credentials: key,
      })
    }),
  )
})
