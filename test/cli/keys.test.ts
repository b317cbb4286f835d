import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { carillon } from '../support/carillon.ts'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'

const server = await startTestServer()
const people = await populate(server)
const keys = (...args: string[]) => carillon('keys', ...args, '--data-dir', server.dataDir)

/** The key that a new one is printed as, in the words of AWS's credentials file. */
async function create() {
  const { status, stdout, stderr } = await keys('create', '--operator')
  assert.deepEqual([status, stderr], [0, ''])
  const form = /^aws_access_key_id=(AKIA[A-Z2-7]{16})\naws_secret_access_key=([\w-]{40})\n$/
  const [, accessKeyId = '', secretAccessKey = ''] = form.exec(stdout) ?? assert.fail(stdout)
  return { accessKeyId, secretAccessKey }
}

/** The response to a call that this key signs. */
async function call(credentials = server.credentials) {
  const target = `/channels/${encodeURIComponent(people.channelArn)}`
  const { status, type } = await server.call('GET', target, { bearer: people.member, credentials })
  return type === null ? status : `${status} ${type}`
}

const suspended = '401 UnauthorizedClientException'

suite('carillon keys, beside a running server', () => {
  test('makes keys that sign calls at once, each its own', async () => {
    const [one, other] = [await create(), await create()]
    assert.notEqual(one.accessKeyId, other.accessKeyId)
    assert.deepEqual([await call(one), await call(other)], [200, 200])
    const swapped = { ...one, secretAccessKey: other.secretAccessKey }
    assert.equal(await call(swapped), '403 InvalidSignatureException')
  })

  test('suspends one from the next call on, and no other, until it is resumed', async () => {
    const [one, other] = [await create(), await create()]
    assert.equal((await keys('suspend', one.accessKeyId)).stdout, `${one.accessKeyId} is suspended.\n`)
    assert.deepEqual([await call(one), await call(other), await call()], [suspended, 200, 200])
    assert.equal((await keys('suspend', one.accessKeyId)).stdout, `${one.accessKeyId} was suspended already.\n`)
    assert.equal((await keys('resume', one.accessKeyId)).stdout, `${one.accessKeyId} is active again.\n`)
    assert.equal(await call(one), 200)
    assert.equal((await keys('resume', one.accessKeyId)).stdout, `${one.accessKeyId} was not suspended.\n`)
  })

  test('suspends the root key too, and says that it is none of the others: the id may be mistyped', async () => {
    const { accessKeyId } = server.credentials
    const { stdout } = await keys('suspend', accessKeyId)
    const doubt = 'No listed key has this ID: it should be the root key, or a temporary one.'
    assert.equal(stdout, `${accessKeyId} is suspended. ${doubt}\n`)
    assert.equal(await call(), suspended)
    await keys('resume', accessKeyId)
    assert.equal(await call(), 200)
  })

  test('keeps a suspended key from opening a messaging session', async () => {
    const key = await create()
    const open = await server.connect(people.member, key)
    assert.equal((await open.next()).eventType, 'SESSION_ESTABLISHED')
    await keys('suspend', key.accessKeyId)
    const { code, reason } = await (await server.connect(people.member, key)).closed
    assert.deepEqual([code, reason], [4003, 'Forbidden: the access key is suspended'])
  })

  test('tells whether a key is suspended only to who knows its secret', async () => {
    const key = await create()
    await keys('suspend', key.accessKeyId)
    assert.equal(await call({ ...key, secretAccessKey: 'x'.repeat(40) }), '403 InvalidSignatureException')
  })

  test('lists the keys, the oldest first, and no secret', async () => {
    const key = await create()
    await keys('suspend', key.accessKeyId)
    const { stdout } = await keys('list')
    const last = stdout.trimEnd().split('\n').at(-1)
    assert.match(
      last!,
      new RegExp(`^${key.accessKeyId}  suspended  \\d{4}-\\d\\d-\\d\\dT[\\d:.]+Z  never ends  operator$`),
    )
    assert.match(stdout, /^AKIA\w{16} {2}active {5}\d{4}-/)
    assert.ok(!stdout.includes(key.secretAccessKey) && !stdout.includes(server.credentials.accessKeyId))
  })

  test('is remembered over a restart of the server', async () => {
    const [one, other] = [await create(), await create()]
    await keys('suspend', other.accessKeyId)
    await server.restart()
    assert.deepEqual([await call(one), await call(other)], [200, suspended])
  })
})

suite('carillon keys explains', () => {
  test('what it can do, when it is asked for something else', async () => {
    for (const args of [[], ['create'], ['constructor']]) {
      const { status, stdout, stderr } = await carillon('keys', ...args)
      assert.deepEqual([status, stdout], [1, ''])
      for (const name of ['create', 'list', 'suspend', 'resume', 'delete'])
        assert.match(stderr, new RegExp(`^npx carillon keys ${name} `, 'm'))
    }
  })

  test('that it needs a key ID', async () => {
    for (const args of [['suspend'], ['resume'], ['suspend', '--data-dir']]) {
      const { status, stderr } = await keys(...args)
      const complaint = `npx carillon keys ${args[0]} needs a key ID, 16 to 128 letters and digits, or the ARN of an AppInstanceUser`
      assert.deepEqual([status, stderr], [1, `${complaint}\nsee npx carillon help\n`])
    }
  })

  test('that there is no data yet', async (context) => {
    const folder = await mkdtemp(join(tmpdir(), 'carillon-keys-'))
    context.after(() => rm(folder, { recursive: true }))
    const { status, stderr } = await carillon('keys', 'create', '--operator', '--data-dir', folder)
    const complaint = `carillon: ${folder} has no data yet: start the server once, or set --data-dir\n`
    assert.deepEqual([status, stderr], [1, complaint])
  })
})
