import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { CreateAppInstanceUserCommandInput } from '@aws-sdk/client-chime-sdk-identity'
import { assertRefused, noAccess, violation } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

type Input = Partial<CreateAppInstanceUserCommandInput>

const server = await startTestServer()
const { AppInstanceArn } = await server.identity.createAppInstance({ Name: 'Bells' })
const create = (input: Input = {}) =>
  server.identity.createAppInstanceUser({ AppInstanceArn, AppInstanceUserId: 'ann', Name: 'Ann', ...input })

suite('CreateAppInstanceUser accepts', () => {
  const accepted: Record<string, Input> = {
    'an id of one character': { AppInstanceUserId: 'a' },
    'an id of 64 characters': { AppInstanceUserId: 'a'.repeat(64) },
    'an e-mail address as id': { AppInstanceUserId: 'ann.b_c-d@example.com' },
    'colons in an id': { AppInstanceUserId: 'us-east-1:7' },
    'a Name of 100 characters, each an emoji': { AppInstanceUserId: 'name', Name: '🔔'.repeat(100) },
    '1024 characters of Metadata': { AppInstanceUserId: 'metadata', Metadata: '🔔'.repeat(1024) },
  }
  for (const [what, input] of Object.entries(accepted)) {
    test(what, async () => {
      const { AppInstanceUserArn } = await create(input)
      assert.equal(AppInstanceUserArn, `${AppInstanceArn}/user/${input.AppInstanceUserId}`)
    })
  }

  test('the same user once more, as long as nothing of it is different', async () => {
    const user = { AppInstanceUserId: 'again', Name: 'Again', Metadata: 'm' }
    const { AppInstanceUserArn } = await create(user)
    assert.equal((await create(user)).AppInstanceUserArn, AppInstanceUserArn)
  })
})

suite('CreateAppInstanceUser rejects', () => {
  const rejected: Record<string, [input: Input, text: string | RegExp]> = {
    'an id of 65 characters': [
      { AppInstanceUserId: 'a'.repeat(65) },
      /'appInstanceUserId' .* less than or equal to 64/,
    ],
    'an empty id': [{ AppInstanceUserId: '' }, /'appInstanceUserId' .* greater than or equal to 1/],
    'an id with a plus': [{ AppInstanceUserId: 'ann+b@example.com' }, /'appInstanceUserId' .* pattern/],
    'an id with a slash': [{ AppInstanceUserId: 'ann/b' }, /'appInstanceUserId' .* pattern/],
    'an id that ends in a dot': [{ AppInstanceUserId: 'ann.' }, /'appInstanceUserId' .* pattern/],
    'a Name of 101 characters': [{ Name: 'n'.repeat(101) }, violation('name', 'have length less than or equal to 100')],
    'a blank Name': [{ Name: ' \t' }, /'name' .* pattern/],
    '1025 characters of Metadata': [{ Metadata: 'm'.repeat(1025) }, /'metadata' .* less than or equal to 1024/],
    'a malformed AppInstanceArn': [{ AppInstanceArn: 'bells' }, /'appInstanceArn'/],
    'a tag of ours that it does not know': [{ Tags: [{ Key: 'carillon:x', Value: 'y' }] }, /carillon:x is not known/],
    'a user that expires after no day': [
      { ExpirationSettings: { ExpirationDays: 0, ExpirationCriterion: 'CREATED_TIMESTAMP' } },
      /'expirationSettings\.expirationDays' .* greater than or equal to 1/,
    ],
  }
  for (const [what, [input, text]] of Object.entries(rejected)) {
    test(what, () => assertRefused(create(input), 'BadRequest', text))
  }

  test('an unknown AppInstance', () =>
    assertRefused(create({ AppInstanceArn: `${AppInstanceArn}0` }), 'Forbidden', noAccess))

  test('a user that exists with another Name, or other Metadata', async () => {
    const user = { AppInstanceUserId: 'other', Name: 'Other' }
    await create(user)
    await assertRefused(create({ ...user, Name: 'Another' }), 'Conflict', /other exists already/)
    await assertRefused(create({ ...user, Metadata: 'm' }), 'Conflict')
  })
})
