import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { DerivedSecrets } from '../../src/keys/derived-secrets.ts'
import { functionKey, issueTemporaryKey, readFunctionKey, readTemporaryKey } from '../../src/keys/temporary-keys.ts'

const secrets = new DerivedSecrets('a stored secret of at least 32 bytes')
const others = new DerivedSecrets('the stored secret of another server')
const userArn = 'arn:aws:chime:us-east-1:111122223333:app-instance/A/user/ann'
const grant = { kind: 'user', userArn, directory: true } as const
const issue = (from = secrets) => issueTemporaryKey(from, { grant, userId: 7, issuedAtMs: 1_000, expiresAtMs: 61_000 })
const actAsOf = () => ['moderator']

suite('a temporary key', () => {
  test('is read back from its id and its session token, by any node of the store', () => {
    const { accessKeyId, secretAccessKey, sessionToken } = issue()
    assert.match(accessKeyId, /^ASIA[A-Z2-7]{16}$/)
    assert.match(secretAccessKey, /^[\w-]{40}$/)
    assert.ok(sessionToken.length < 1_024)
    const sameStore = new DerivedSecrets('a stored secret of at least 32 bytes')
    assert.deepEqual(readTemporaryKey(sameStore, accessKeyId, sessionToken), {
      accessKeyId,
      secretAccessKey,
      sessionToken,
      grant,
      userId: 7,
      issuedAtMs: 1_000,
      expiresAtMs: 61_000,
    })
  })

  test('does not exist with the token of another one, of another store, or of another purpose', () => {
    const [one, other] = [issue(), issue()]
    const ofFunction = functionKey(secrets, 'redact')
    const paging = secrets.sign('functionToken', JSON.stringify({ grant, id: one.accessKeyId, expiresAtMs: 61_000 }))
    for (const token of [
      other.sessionToken,
      issue(others).sessionToken,
      ofFunction.sessionToken,
      paging,
      '',
      '.',
      'x.y',
    ]) {
      assert.equal(readTemporaryKey(secrets, one.accessKeyId, token), undefined, token)
    }
    assert.notEqual(one.secretAccessKey, other.secretAccessKey)
  })

  test('does not exist if one character of its token is another', () => {
    const { accessKeyId, sessionToken } = issue()
    for (let at = 0; at < sessionToken.length - 1; at += 1) {
      const changed = `${sessionToken.slice(0, at)}${sessionToken[at] === 'A' ? 'B' : 'A'}${sessionToken.slice(at + 1)}`
      assert.equal(readTemporaryKey(secrets, accessKeyId, changed), undefined, `character ${at}`)
    }
  })
})

suite('the key of a function', () => {
  test('is the same whenever it is derived, and permits what function.json says when it is read', () => {
    const key = functionKey(secrets, 'redact')
    assert.deepEqual(functionKey(secrets, 'redact'), key)
    assert.notDeepEqual(functionKey(secrets, 'label'), key)
    const read = readFunctionKey(secrets, key.accessKeyId, key.sessionToken, actAsOf)
    assert.deepEqual(read?.grant, { kind: 'function', functionName: 'redact', actAs: ['moderator'] })
    assert.equal(read?.secretAccessKey, key.secretAccessKey)
  })

  test('does not exist with the token of another function, or of a temporary key', () => {
    const { accessKeyId } = functionKey(secrets, 'redact')
    const tokens = [functionKey(secrets, 'label').sessionToken, issue().sessionToken, '']
    for (const token of tokens) assert.equal(readFunctionKey(secrets, accessKeyId, token, actAsOf), undefined)
  })
})
