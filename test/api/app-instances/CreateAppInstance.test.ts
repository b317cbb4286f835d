import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { CreateAppInstanceCommandInput } from '@aws-sdk/client-chime-sdk-identity'
import { assertRefused, violation } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'

const server = await startTestServer()
let created = 0
async function create(input: Partial<CreateAppInstanceCommandInput> = {}) {
  const answer = await server.identity.createAppInstance({ Name: 'Bells', ...input })
  created += 1
  return answer
}
const tags = (count: number) => Array.from({ length: count }, (_, index) => ({ Key: `k${index}`, Value: 'v' }))

suite('CreateAppInstance accepts', () => {
  const accepted: [what: string, input: Partial<CreateAppInstanceCommandInput>][] = [
    ['a Name of 256 characters, each an emoji', { Name: '🔔'.repeat(256) }],
    ['1024 characters of Metadata', { Metadata: '🔔'.repeat(1024) }],
    ['line breaks in the Metadata', { Metadata: 'a\nb\r\n' }],
    ['50 tags', { Tags: tags(50) }],
  ]
  for (const [what, input] of accepted) {
    test(what, async () => {
      await create(input)
    })
  }
})

suite('CreateAppInstance rejects', () => {
  const rejected: [what: string, input: Partial<CreateAppInstanceCommandInput>, text: string | RegExp][] = [
    ['an empty Name', { Name: '' }, violation('name', 'have length greater than or equal to 1')],
    [
      'a Name of 257 characters',
      { Name: '🔔'.repeat(257) },
      violation('name', 'have length less than or equal to 256'),
    ],
    ['a control character in the Name', { Name: 'a\u0007' }, /^1 .* 'name' .* regular expression pattern/],
    [
      '1025 characters of Metadata',
      { Metadata: 'm'.repeat(1025) },
      violation('metadata', 'have length less than or equal to 1024'),
    ],
    ['51 tags', { Tags: tags(51) }, violation('tags', 'have length less than or equal to 50')],
    [
      'a tag of ours that it does not know',
      { Tags: [{ Key: 'carillon:deadline', Value: '30s' }] },
      "1 validation error detected: Value at 'tags' failed to satisfy constraint: the tag carillon:deadline is not known here (known: none)",
    ],
  ]
  for (const [what, input, text] of rejected) test(what, () => assertRefused(create(input), 'BadRequest', text))

  test('all errors in one response', () =>
    assertRefused(
      create({ Name: '', Metadata: 'm'.repeat(1025) }),
      'BadRequest',
      /^2 validation errors detected: Value at 'name' .*; Value at 'metadata' /,
    ))
})

suite('CreateAppInstance', () => {
  test("returns an ARN with the server's region and account", async () => {
    const { AppInstanceArn } = await create()
    assert.match(AppInstanceArn!, /^arn:aws:chime:us-east-1:111122223333:app-instance\/[0-9a-f-]{36}$/)
  })

  test('creates a hundred of them at most', async () => {
    await Promise.all(Array.from({ length: 100 - created }, () => create()))
    await assertRefused(create(), 'ResourceLimitExceeded', 'The limit of 100 AppInstances is reached')
  })
})
