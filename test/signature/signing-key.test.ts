import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import fc from 'fast-check'
import { stringToSign } from '../../src/signature/canonical.ts'
import { hmac, hmacKey, signingKey } from '../../src/signature/signing-key.ts'

const secretAccessKey = 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'

test("the signature of AWS's published example comes out", () => {
  const canonicalRequest = [
    'GET',
    '/',
    'Action=ListUsers&Version=2010-05-08',
    'content-type:application/x-www-form-urlencoded; charset=utf-8',
    'host:iam.amazonaws.com',
    'x-amz-date:20150830T123600Z',
    '',
    'content-type;host;x-amz-date',
    'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  ].join('\n')
  const scope = '20150830/us-east-1/iam/aws4_request'
  const signature = hmac(signingKey(secretAccessKey, scope), stringToSign('20150830T123600Z', scope, canonicalRequest))
  assert.equal(signature, '5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7')
})

test('two hashes over kept pads are an HMAC for keys of any length', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), fc.string({ unit: 'grapheme' }), (secret, text) => {
      assert.equal(hmac(hmacKey(secret), text), createHmac('sha256', secret).update(text).digest('hex'))
    }),
  )
})

test('a key is derived once, and again after many others have pushed it out', () => {
  const scope = '20260102/us-east-1/chime/aws4_request'
  const first = signingKey(secretAccessKey, scope)
  assert.equal(signingKey(secretAccessKey, scope), first)
  for (let index = 0; index < 1000; index++) signingKey(`secret ${index}`, scope)
  const again = signingKey(secretAccessKey, scope)
  assert.notEqual(again, first)
  assert.deepEqual(again, first)
})
