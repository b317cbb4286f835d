import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { region, rootKeys } from '../../bench/wire/calls.ts'
import { FrameReader } from '../../bench/wire/frame-reader.ts'
import { MessageReader } from '../../bench/wire/messages.ts'
import { Signer, Verifier } from '../../bench/wire/sigv4.ts'
import { rootGrant } from '../../src/keys/grant.ts'
import { verifyConnect } from '../../src/signature/verify-connect.ts'
import { verifyRequest } from '../../src/signature/verify-request.ts'

const find = async () => ({ ...rootKeys, grant: rootGrant })
const signer = new Signer(rootKeys, region, 'chime')

/** The request that a benchmark sends, as node:http reads it. */
function received(query: string) {
  const path = '/channels/arn%3Aaws%3Achime%3Aus-east-1%3A000000000000%3Aapp-instance%2F1%2Fchannel%2F2/messages'
  const body = '{"Content":"grüße"}'
  const lines = signer.headers({ method: 'POST', path, query, host: '127.0.0.1:8080', bearer: 'arn:user', body })
  const headers = lines
    .trimEnd()
    .split('\r\n')
    .map((line) => line.split(/: (.*)/s).slice(0, 2))
  const target = query === '' ? path : `${path}?${query}`
  return {
    method: 'POST',
    target,
    headers: Object.fromEntries(headers) as Record<string, string>,
    body: Buffer.from(body),
  }
}

suite('signatures of the benchmarks', () => {
  for (const query of ['', 'max-results=50&sort-order=ASCENDING']) {
    test(`the server accepts a request with the query "${query}", and so does the floor`, async () => {
      const request = received(query)
      const verified = await verifyRequest(request, find, { region, service: 'chime' }, Date.now())
      assert.equal(verified.ok, true)
      assert.equal(new Verifier(rootKeys).accepts(request), true)
    })
  }

  test('neither accepts another body', async () => {
    const request = { ...received(''), body: Buffer.from('{"Content":"another"}') }
    assert.equal((await verifyRequest(request, find, { region, service: 'chime' }, Date.now())).ok, false)
    assert.equal(new Verifier(rootKeys).accepts(request), false)
  })

  test('the server accepts a presigned connect', async () => {
    const target = signer.connectTarget('127.0.0.1:8080', { userArn: 'arn:aws:chime:1/user/a', sessionId: 'one' })
    const verified = await verifyConnect({ target, host: '127.0.0.1:8080' }, find, { region }, Date.now())
    assert.equal(verified.ok, true)
  })
})

suite('bytes that come in pieces', () => {
  test('HTTP messages are the same wherever they are cut', () => {
    const bytes = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhällHTTP/1.1 202 Accepted\r\n\r\n')
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const reader = new MessageReader()
      const messages = [bytes.subarray(0, cut), bytes.subarray(cut)].flatMap((piece) => [...reader.read(piece)])
      const [first, second] = [
        { startLine: 'HTTP/1.1 200 OK', body: 'häll' },
        { startLine: 'HTTP/1.1 202 Accepted', body: '' },
      ]
      assert.deepEqual(messages, [first, second])
    }
  })

  test('WebSocket frames of all three forms are the same wherever they are cut', () => {
    const payloads = [Buffer.from('short'), Buffer.alloc(300, 'm'), Buffer.alloc(70_000, 'l')]
    const long = Buffer.alloc(10)
    long.set([0x81, 127])
    long.writeBigUInt64BE(70_000n, 2)
    const heads = [Buffer.from([0x81, 5]), Buffer.from([0x81, 126, 300 >> 8, 300 & 255]), long]
    const bytes = Buffer.concat(heads.flatMap((head, index) => [head, payloads[index] as Buffer]))
    for (const cut of [0, 1, 2, 7, 8, 9, 11, 310, 312, 315, 320, 400, bytes.length]) {
      const reader = new FrameReader()
      const frames = [bytes.subarray(0, cut), bytes.subarray(cut)].flatMap((piece) =>
        [...reader.read(piece)].map(({ payload }) => Buffer.from(payload)),
      )
      assert.deepEqual(frames, payloads)
    }
  })
})
