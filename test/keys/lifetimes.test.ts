import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Credentials } from '../../src/keys/key.ts'
import { carillon } from '../support/carillon.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { type Population, populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'
import { SteeredStore } from '../support/steered-store.ts'
import { TestKeys } from '../support/test-keys.ts'
import { until } from '../support/until.ts'

/*
 * How keys end: suspended, deleted, expired, or with their parent or their user. Calls are rejected at once; open sessions
 * are closed at the next look for revocations, once a second.
 */

const clock = new ManualClock(Date.now())
const store = new SteeredStore()
const server = await startTestServer({ aroundStore: store.around, clock })
const made = new TestKeys(server, store)

const ofUser = (subjectArn: string) => ({ kind: 'user', subjectArn }) as const
const suspended = '401 UnauthorizedClientException'
const unknown = '403 UnrecognizedClientException'
const ended = '403 ExpiredTokenException'

async function call(credentials: Credentials): Promise<string> {
  const { status, type } = await server.call('GET', '/endpoints/messaging-session', { credentials })
  return type === null ? `${status}` : `${status} ${type}`
}

async function operate(method: string, target: string, credentials: Credentials, body?: object): Promise<string> {
  const { status, type } = await server.call(method, target, { credentials, ...(body && { body }) })
  return type === null ? `${status}` : `${status} ${type}`
}

async function session({ member }: Population, credentials: Credentials) {
  const client = await server.connect(member, credentials)
  assert.equal((await client.next()).eventType, 'SESSION_ESTABLISHED')
  return client
}

type Session = Awaited<ReturnType<typeof session>>

/** The code with which the session is closed within 2 s of the server's time. */
async function closeWithin2s({ closed, webSocket }: Session): Promise<number> {
  clock.advance(1_000)
  // The look that this second begins reads the store.
  await until(() => webSocket.readyState !== webSocket.OPEN)
  return (await closed).code
}

suite('a key and its open session end', () => {
  test('when the key is suspended: 4003, and resume makes the key good again', async () => {
    const people = await populate(server)
    const [key, other] = [await made.kept(ofUser(people.member)), await made.kept(ofUser(people.member))]
    const [open, kept] = [await session(people, key), await session(people, other)]
    const target = `/carillon/v1/keys/${key.accessKeyId}?operation=`
    assert.equal(await operate('POST', `${target}suspend`, server.credentials), '200')
    assert.equal(await call(key), suspended)
    assert.equal(await closeWithin2s(open), 4003)
    assert.equal(kept.webSocket.readyState, kept.webSocket.OPEN, 'the session of another key stays')
    assert.equal(await operate('POST', `${target}resume`, server.credentials), '200')
    assert.equal(await call(key), '200')
    kept.webSocket.close()
  })

  test('when the key is deleted, with the temporary keys that were made by it', async () => {
    const people = await populate(server)
    const parent = await made.kept(ofUser(people.member))
    const child = await made.temporary(ofUser(people.member), { parentId: parent.accessKeyId })
    const sessions = [await session(people, parent), await session(people, child)]
    assert.equal(await operate('DELETE', `/carillon/v1/keys/${parent.accessKeyId}`, server.credentials), '204')
    assert.deepEqual([await call(parent), await call(child)], [unknown, unknown])
    for (const open of sessions) assert.equal(await closeWithin2s(open), 4003)
  })

  test('when the parent of a temporary key is suspended, as long as it is', async () => {
    const people = await populate(server)
    const parent = await made.kept({ kind: 'operator', subjectArn: people.appInstanceArn })
    const child = await made.temporary(ofUser(people.member), { parentId: parent.accessKeyId })
    const open = await session(people, child)
    await made.suspend(parent)
    assert.equal(await call(child), suspended)
    assert.equal(await closeWithin2s(open), 4003)
    await carillon('keys', 'resume', parent.accessKeyId, '--data-dir', server.dataDir)
    assert.equal(await call(child), '200')
  })

  test('when the user is suspended: all keys, and those made later; temporary ones for good', async () => {
    const people = await populate(server)
    const [kept, temporary] = [await made.kept(ofUser(people.member)), await made.temporary(ofUser(people.member))]
    const another = await made.kept(ofUser(people.owner))
    const sessions = [await session(people, kept), await session(people, temporary)]
    const target = `/carillon/v1/users/${encodeURIComponent(people.member)}?operation=`
    assert.equal(await operate('POST', `${target}suspend`, server.credentials), '200')
    const later = await made.kept(ofUser(people.member))
    for (const key of [kept, temporary, later]) assert.equal(await call(key), suspended)
    assert.equal(await call(another), '200')
    for (const open of sessions) assert.equal(await closeWithin2s(open), 4003)
    clock.advance(1_000)
    assert.equal(await operate('POST', `${target}resume`, server.credentials), '200')
    assert.deepEqual([await call(kept), await call(later), await call(temporary)], ['200', '200', unknown])
    assert.equal(await call(await made.temporary(ofUser(people.member))), '200')
  })

  test('when the temporary key expires: 1001 at that moment, 4401 at the next connect', async () => {
    const people = await populate(server)
    const expiresAtMs = clock.now() + 60_000
    const keys = [
      await made.temporary(ofUser(people.member), { expiresAtMs }),
      await made.kept(ofUser(people.member), expiresAtMs),
    ]
    const sessions = await Promise.all(keys.map((key) => session(people, key)))
    clock.advance(59_999)
    for (const key of keys) assert.equal(await call(key), '200')
    for (const { webSocket } of sessions) assert.equal(webSocket.readyState, webSocket.OPEN)
    clock.advance(1)
    for (const { closed } of sessions) assert.equal((await closed).code, 1001)
    for (const key of keys) {
      assert.equal(await call(key), ended)
      assert.equal((await (await server.connect(people.member, key)).closed).code, 4401)
    }
  })

  test('when the user is deleted: its keys are no keys of the user that is made anew', async () => {
    const people = await populate(server)
    const keys = [await made.kept(ofUser(people.member)), await made.temporary(ofUser(people.member))]
    await server.identity.deleteAppInstanceUser({ AppInstanceUserArn: people.member })
    for (const key of keys) assert.equal(await call(key), unknown)
    await people.createUser('member')
    for (const key of keys) assert.equal(await call(key), unknown)
    assert.equal(await call(await made.kept(ofUser(people.member))), '200')
  })
})

suite('an operator of one AppInstance', () => {
  test('sees, makes and ends no key outside', async () => {
    const [people, others] = [await populate(server), await populate(server)]
    const operator = await made.kept({ kind: 'operator', subjectArn: people.appInstanceArn })
    const inside = await made.kept(ofUser(people.member))
    const outside = [await made.kept(ofUser(others.member)), await made.kept({ kind: 'operator' }), server.credentials]
    const { body } = await server.call('GET', '/carillon/v1/keys', { credentials: operator })
    const ids = body.Keys.map(({ AccessKeyId }: { AccessKeyId: string }) => AccessKeyId)
    assert.deepEqual(new Set(ids), new Set([operator.accessKeyId, inside.accessKeyId]))
    for (const { accessKeyId } of outside) {
      const target = `/carillon/v1/keys/${accessKeyId}`
      for (const [method, query] of [
        ['POST', '?operation=suspend'],
        ['POST', '?operation=resume'],
        ['DELETE', ''],
      ] as const) {
        assert.equal(await operate(method, target + query, operator), '404 NotFoundException')
      }
    }
    for (const key of outside) assert.equal(await call(key), '200')
    const denied = '403 AccessDeniedException'
    const create = (body: object) => operate('POST', '/carillon/v1/keys', operator, body)
    assert.equal(await create({ Kind: 'OPERATOR' }), denied)
    assert.equal(await create({ Kind: 'OPERATOR', SubjectArn: others.appInstanceArn }), denied)
    assert.equal(await create({ Kind: 'USER', SubjectArn: others.member }), denied)
    assert.equal(await create({ Kind: 'OPERATOR', SubjectArn: people.appInstanceArn }), '201')
    const user = `/carillon/v1/users/${encodeURIComponent(others.member)}?operation=suspend`
    assert.equal(await operate('POST', user, operator), denied)
    assert.equal(await operate('POST', `/carillon/v1/keys/${inside.accessKeyId}?operation=suspend`, operator), '200')
  })

  test('whose key ends makes no key that ends later, or never', async () => {
    const people = await populate(server)
    const end = clock.now() + 3_600_000
    const subject = { kind: 'operator', subjectArn: people.appInstanceArn } as const
    for (const operator of [await made.kept(subject, end), await made.temporary(subject, { expiresAtMs: end })]) {
      const create = (more: object) =>
        operate('POST', '/carillon/v1/keys', operator, { Kind: 'USER', SubjectArn: people.member, ...more })
      assert.equal(await create({}), '403 ForbiddenException')
      assert.equal(await create({ ExpirationTimestamp: end / 1_000 + 1 }), '403 ForbiddenException')
      assert.equal(await create({ ExpirationTimestamp: end / 1_000 }), '201')
    }
  })
})
