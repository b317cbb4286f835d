import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { suite, test } from 'node:test'
import { bytesOf, type Call, exchange } from '../http/wire.ts'
import { SessionClient } from '../session/session-client.ts'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'
import { presign } from '../support/smithy-signer.ts'

/** A line of the log about a rejection: of a call, or of a session. */
interface Line {
  text: string
  rejection?: { problem: string; canonicalRequest?: string; requestTime?: string; serverTime?: string }
  code?: number
  reason?: string
}

const logged: Line[] = []
const info = (fields: object, text: string) => {
  if (text.startsWith('request rejected') || text === 'messaging session rejected') logged.push({ text, ...fields })
}
const server = await startTestServer({ log: { info } })
const { endpoint, credentials } = server
const { host } = new URL(endpoint.http)
const signing = { endpoint: endpoint.http, credentials, signingDate: new Date() }
const people = await populate(server)
const { MessageId } = await people.send()

const mismatch = 'the signature does not match (check the secret key and the Host header)'
const otherDigit = (digit: string) => (digit === '0' ? '1' : '0')

suite('a call that was changed after it was signed is rejected, and the log says what differs', () => {
  /** UpdateChannelMessage. */
  const call: Call = {
    method: 'PUT',
    target: `/channels/${encodeURIComponent(people.channelArn)}/messages/${MessageId}?x=1`,
    headers: { 'x-amz-chime-bearer': people.member, 'content-type': 'application/json', 'x-note': 'a' },
    body: '{"Content":"hello"}',
  }
  const sentBody = '{"Content":"olleh"}'
  const hash = createHash('sha256').update(sentBody).digest('hex')

  const put = (found: string | RegExp, replacement: string) => ({
    edit: (head: string) => head.replace(found, replacement),
  })
  const withHash = put(/(content-sha256: )\w+/, `$1${hash}`)
  const flip = (found: RegExp) => ({
    edit: (head: string) => head.replace(found, (_, before, digit) => before + otherDigit(digit)),
  })
  const withoutSigning = (name: string) => put(new RegExp(`${name};|;${name}`), '')

  /** What the answer says, and the log. */
  const rejectionOf = async (changed: Call, signed = signing) => {
    const [answer] = await exchange(endpoint.http, await bytesOf(changed, signed))
    const [line, ...others] = logged.splice(0)
    assert.deepEqual([answer?.status, line?.text, others], [403, 'request rejected: signature', []])
    return { type: answer?.headers.get('x-amzn-errortype'), ...line?.rejection }
  }

  /** Which lines of its canonical request are not those that were signed. */
  const differences: [what: string, change: Partial<Call>, ...lines: string[]][] = [
    ['its method', put('PUT', 'DELETE'), 'method'],
    ['its path', put('/messages/', '/messages/x'), 'path'],
    ['the escaping of its path', put('%3A', ':'), 'path'],
    ['its query', put('x=1', 'x=2'), 'query'],
    ['its query, longer by a parameter', put('x=1', 'x=1&y=1'), 'query'],
    ['its query, which is gone', put('?x=1', ''), 'query'],
    ['its bearer', put(people.member, people.admin), 'x-amz-chime-bearer'],
    ['its host', put(`host: ${host}`, 'host: localhost'), 'host'],
    ['its second', flip(/(x-amz-date: \w+)(\d)(?=Z)/), 'x-amz-date'],
    ['its content type', put('application/json', 'text/plain'), 'content-type'],
    ['any other signed header', put('x-note: a', 'x-note: b'), 'x-note'],
    ['a header that is signed no longer', withoutSigning('x-note'), 'x-note', 'signed headers'],
    ['its body, whose hash is in no header', { sentBody, withoutChecksum: true }, 'body'],
    ['its body and the hash', { sentBody, ...withHash }, 'x-amz-content-sha256', 'body'],
    ['nothing but the signature', flip(/(Signature=\w{63})(\w)/)],
  ]
  for (const [what, change, ...lines] of differences) {
    test(what, async () => {
      const signed = { ...call, ...change, edit: flip(/(Signature=\w{63})(\w)/).edit, sentBody: call.body! }
      const honest = linesOf(await rejectionOf(signed))
      const rejection = await rejectionOf({ ...call, ...change })
      assert.deepEqual([rejection.type, rejection.problem], ['InvalidSignatureException', mismatch])
      const found = linesOf(rejection)
      const names = [...new Set([...honest.keys(), ...found.keys()])]
      assert.deepEqual(
        names.filter((name) => honest.get(name) !== found.get(name)),
        lines,
      )
    })
  }

  const problems: [what: string, change: Partial<Call>, problem: string, type?: string][] = [
    ['its body', { sentBody }, 'body hash differs from x-amz-content-sha256'],
    ['the hash of its body', withHash, 'body hash differs from x-amz-content-sha256'],
    ['its day', put(/(x-amz-date: )\d{8}/, '$120260102'), 'scope date differs'],
    ['its region', put('/us-east-1/', '/eu-central-1/'), 'region is eu-central-1, expected us-east-1'],
    ['its service', put('/chime/', '/s3/'), 'service is s3, expected chime'],
    ['its access key', put(credentials.accessKeyId, 'AKIDOFSOMEBODYELSE'), 'unknown access key', 'UnrecognizedClient'],
    ['its bearer, which is gone', put(/x-amz-chime-bearer: .*\r\n/, ''), 'signed header x-amz-chime-bearer is missing'],
    ['its bearer, signed no longer', withoutSigning('x-amz-chime-bearer'), 'x-amz-chime-bearer is not signed'],
    ['its host, signed no longer', withoutSigning('host'), 'host is not signed'],
    ['its date, signed no longer', withoutSigning('x-amz-date'), 'x-amz-date is not signed'],
    ['a session token, added', put(/$/, 'x-amz-security-token: x\r\n'), 'x-amz-security-token is not signed'],
  ]
  for (const [what, change, problem, type = 'InvalidSignature'] of problems) {
    test(`${what}: ${problem}`, async () => {
      const rejection = await rejectionOf({ ...call, ...change })
      assert.deepEqual([rejection.type, rejection.problem], [`${type}Exception`, problem])
    })
  }

  test('its hour, which is over', async () => {
    const signingDate = new Date(signing.signingDate.getTime() - 3_600_000)
    const { problem, requestTime, serverTime } = await rejectionOf(call, { ...signing, signingDate })
    assert.equal(problem, 'clock skew')
    assert.match(`${requestTime} ${serverTime}`, /^\d{8}T\d{6}Z \d{8}T\d{6}Z$/)
  })

  test('and nobody has changed the message', async () => assert.equal((await people.read(MessageId)).Content, 'hello'))
})

/** The lines of a canonical request by what they are. */
function linesOf({ canonicalRequest = '' }: { canonicalRequest?: string }): Map<string, string> {
  const [method = '', path = '', query = '', ...rest] = canonicalRequest.split('\n')
  const headers = rest.slice(0, -3).map((line) => line.split(/:(.*)/) as [string, string])
  const [signedHeaders = '', body = ''] = rest.slice(-2)
  return new Map([
    ['method', method],
    ['path', path],
    ['query', query],
    ...headers,
    ['signed headers', signedHeaders],
    ['body', body],
  ])
}

suite('a session whose address was changed after it was signed is closed with 4401, and told what is wrong', () => {
  const addressOf = async (signingDate = signing.signingDate) => {
    const target = `/connect?userArn=${encodeURIComponent(people.member)}&sessionId=1`
    const call = { method: 'GET', target, headers: { host } }
    const pairs = await presign(call, { credentials, signingDate, expiresInSeconds: 10 })
    return `ws://${host}/connect?${pairs.map((pair) => pair.map(encodeURIComponent).join('=')).join('&')}`
  }
  const assertClosed = async (address: string, problem: string | RegExp, headers = {}) => {
    const { code, reason } = await new SessionClient(address, { headers }).closed
    assert.equal(code, 4401)
    const [start, said] = [reason.slice(0, 14), reason.slice(14)]
    assert.equal(start, 'Unauthorized: ')
    if (typeof problem === 'string') assert.equal(said, problem)
    else assert.match(said, problem)
    assert.deepEqual(logged.splice(0), [{ text: 'messaging session rejected', code, reason }])
  }
  const escaped = (text: string) => encodeURIComponent(text)

  const changes: [what: string, found: string | RegExp, put: string, problem: string][] = [
    ['the user', escaped(people.member), escaped(people.admin), mismatch],
    ['the user, named twice', /$/, `&userArn=${escaped(people.admin)}`, mismatch],
    ['the session', 'sessionId=1', 'sessionId=2', mismatch],
    ['a prefetch, added', /$/, '&prefetch-on=connect', mismatch],
    ['how long it is good', 'Expires=10', 'Expires=86400', mismatch],
    ['for ever', 'Expires=10', 'Expires=864000', 'X-Amz-Expires must be a number of seconds from 1 to 86400'],
    ['the day', /(Date=)\d{8}/, '$120260102', 'scope date differs'],
    ['the region', 'us-east-1%2Fchime', 'eu-central-1%2Fchime', 'region is eu-central-1, expected us-east-1'],
    ['the service', '%2Fchime%2F', '%2Fs3%2F', 'service is s3, expected chime'],
    ['the access key', credentials.accessKeyId, 'AKIDOFSOMEBODYELSE', 'unknown access key'],
    ['the signed headers', 'Headers=host', 'Headers=host%3Bdate', 'X-Amz-SignedHeaders must be host'],
    ['the signature, which is gone', /&X-Amz-Signature=\w+/, '', 'X-Amz-Signature is missing'],
    ['the user, who is gone', /userArn=[^&]+&/, '', 'userArn is missing'],
    ['a session token, added', /$/, '&X-Amz-Security-Token=x', 'the session token is not the one of the access key'],
  ]
  for (const [what, found, put, problem] of changes) {
    test(`${what}: ${problem}`, async () => {
      const address = await addressOf()
      const changed = address.replace(found, put)
      assert.notEqual(changed, address)
      await assertClosed(changed, problem)
    })
  }

  test('the second', async () => {
    const flipped = (await addressOf()).replace(/(Date=\w+)(\d)(?=Z)/, (_, before, digit) => before + otherDigit(digit))
    await assertClosed(flipped, mismatch)
  })

  test('the hour, which is over', async () => {
    const address = await addressOf(new Date(signing.signingDate.getTime() - 3_600_000))
    await assertClosed(address, /^the signature was valid until \w+, it is \w+ here \(check the clock\)$/)
  })

  test('the host', async () => assertClosed(await addressOf(), mismatch, { host: 'localhost' }))
})
