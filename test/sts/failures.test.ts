import assert from 'node:assert/strict'
import { test } from 'node:test'
import { DerivedSecrets } from '../../src/keys/derived-secrets.ts'
import { rootGrant } from '../../src/keys/grant.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { type Reader, StoreUnavailable } from '../../src/store/store.ts'
import { createSts } from '../../src/sts/sts.ts'
import { UnsignedCalls } from '../../src/sts/unsigned-calls.ts'
import { ManualClock } from '../support/manual-clock.ts'

/** The response to AssumeRole for a user, if the store fails like this. */
function respond(failure: Error | undefined, isReady = true) {
  const clock = new ManualClock()
  const get = async () => {
    throw failure
  }
  const sts = createSts({
    read: { get, all: get } as unknown as Reader,
    transaction: get,
    secrets: new DerivedSecrets('a stored secret of at least 32 bytes'),
    account: '111122223333',
    rootKeyId: 'AKIAROOT',
    roles: [{ name: 'any', kind: 'user', directory: false, subjectArn: undefined }],
    webIdentity: undefined,
    unsignedCalls: new UnsignedCalls({ clock, log: silentLog }),
    now: clock.now,
    authenticate: async () => ({
      ok: true,
      credentials: { accessKeyId: 'AKIA', secretAccessKey: 'secret', grant: rootGrant },
    }),
    isReady: () => isReady,
    isUnavailable: (error) => error instanceof StoreUnavailable,
  })
  const form = new URLSearchParams({
    Action: 'AssumeRole',
    Version: '2011-06-15',
    RoleArn: 'arn:aws:iam::111122223333:role/any',
    RoleSessionName: 'session',
    'Tags.member.1.Key': 'UserUUID',
    'Tags.member.1.Value': 'arn:aws:chime:us-east-1:111122223333:app-instance/A/user/ann',
  })
  const request = { method: 'POST', target: '/', headers: {}, body: Buffer.from(form.toString()) }
  return sts(request, { requestId: 'request-1', address: undefined })
}

const codeOf = (body: string) => /<Type>(\w+)<\/Type><Code>(\w+)</.exec(body)?.slice(1)

test('STS responds with 503 before the server is ready and while it stops, so that SDKs try again', async () => {
  const { status, headers, body } = await respond(undefined, false)
  assert.deepEqual([status, headers['retry-after'], codeOf(body)], [503, '1', ['Receiver', 'ServiceUnavailable']])
})

test('STS responds with 503 while the store is unavailable', async () => {
  const { status, facts, body } = await respond(new StoreUnavailable('the database does not respond'))
  assert.deepEqual([status, codeOf(body)], [503, ['Receiver', 'ServiceUnavailable']])
  assert.equal(facts.reason, 'the database does not respond')
})

test('STS responds to a bug with 500 and the request id, and the log has the error', async () => {
  const bug = new Error('a bug')
  const { status, facts, body } = await respond(bug)
  assert.deepEqual([status, codeOf(body), facts.err], [500, ['Receiver', 'InternalFailure'], bug])
  assert.match(body, /under the request id request-1</)
  assert.doesNotMatch(body, /a bug/)
})
