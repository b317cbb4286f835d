import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { readKeyArguments } from '../../src/cli/key-arguments.ts'

const appInstanceArn = 'arn:aws:chime:us-east-1:111122223333:app-instance/a'
const userArn = `${appInstanceArn}/user/ann`
const flowArn = `${appInstanceArn}/channel-flow/f`
const create = (...args: string[]) => readKeyArguments('create', args, undefined, 1_000)

suite('the arguments of carillon keys', () => {
  test('say what a new key is for', () => {
    const grants: [object, ...string[]][] = [
      [{ kind: 'user', userArn, directory: false }, '--user', userArn],
      [{ kind: 'user', userArn, directory: true }, '--directory', `--user=${userArn}`],
      [{ kind: 'callback', subjectArn: appInstanceArn }, '--callback', appInstanceArn],
      [{ kind: 'callback', subjectArn: flowArn }, '--callback', flowArn],
      [{ kind: 'operator', role: 'operator', appInstanceArn: undefined }, '--operator'],
      [{ kind: 'operator', role: 'viewer', appInstanceArn: undefined }, '--operator', '--role', 'viewer'],
      [{ kind: 'operator', role: 'reviewer', appInstanceArn }, '--operator', appInstanceArn, '--role=reviewer'],
    ]
    for (const [grant, ...args] of grants) assert.deepEqual(create(...args).grant, grant)
  })

  test('may name a key and its end, and settings of the server beside them', () => {
    const { name, expiresAtMs, others } = create(
      '--data-dir',
      'd',
      '--user',
      userArn,
      '--expires',
      '2h',
      '--name',
      'x y',
    )
    assert.deepEqual(
      { name, expiresAtMs, others },
      { name: 'x y', expiresAtMs: 7_201_000, others: ['--data-dir', 'd'] },
    )
    assert.equal(create('--operator', '--expires=30m').expiresAtMs, 1_801_000)
    assert.equal(create('--operator', '--expires=30d').expiresAtMs, 30 * 86_400_000 + 1_000)
  })

  test('name a key or a user', () => {
    const idOf = (id: string, takes: 'key' | 'key or user') => readKeyArguments('suspend', [id], takes, 0).id
    assert.equal(idOf('AKIA1234567890ABCDEF', 'key'), 'AKIA1234567890ABCDEF')
    assert.equal(idOf(userArn, 'key or user'), userArn)
    for (const id of ['short', userArn, '--data-dir']) assert.throws(() => idOf(id, 'key'), /needs a key ID/)
    for (const id of [appInstanceArn, flowArn]) assert.throws(() => idOf(id, 'key or user'), /or the ARN of an App/)
  })

  test('are refused when they do not belong together', () => {
    const wrong: [string, ...string[]][] = [
      ['a key has one kind: --user or --callback', '--user', userArn, '--callback', appInstanceArn],
      ['--user needs a value', '--user'],
      ['--callback needs a value', '--callback', '--name', 'x'],
      ['the key of a user needs the ARN of an AppInstanceUser', '--user', appInstanceArn],
      ['a key for callbacks needs the ARN of an AppInstance or a channel flow', '--callback', userArn],
      ['an operator is one of the whole server or of one AppInstance: the ARN must name that', '--operator', userArn],
      ['only the key of an operator has a role', '--user', userArn, '--role', 'viewer'],
      ['only the key of a user has a directory', '--operator', '--directory'],
      ['--role must be operator, reviewer, viewer', '--operator', '--role', 'owner'],
      ['--expires must be a number with m, h or d, such as 30d', '--operator', '--expires', 'soon'],
      ['--expires must be a number with m, h or d, such as 30d', '--operator', '--expires', '0d'],
      ['--name must be a text of 1 to 256 characters', '--operator', '--name', 'x'.repeat(257)],
    ]
    for (const [message, ...args] of wrong) assert.throws(() => create(...args), { message })
  })
})
