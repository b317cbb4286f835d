import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess, violation } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'
import { createTagged, passDeadline, tagsOf, withoutResource } from './tagged.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const untag = (ResourceARN: string, ...TagKeys: string[]) => server.messaging.untagResource({ ResourceARN, TagKeys })

suite('UntagResource removes a tag', async () => {
  const tagged = await createTagged(server, { Key: 'a', Value: 'created' })
  for (const [kind, ResourceARN] of Object.entries(tagged)) {
    test(`of a ${kind}, by the clients of both services`, async () => {
      const Tags = [
        { Key: 'A', Value: 'stays' },
        { Key: 'b', Value: 'goes' },
      ]
      await server.identity.tagResource({ ResourceARN, Tags })
      const { $metadata } = await server.messaging.untagResource({ ResourceARN, TagKeys: ['a'] })
      assert.equal($metadata.httpStatusCode, 204)
      await server.identity.untagResource({ ResourceARN, TagKeys: ['b'] })
      assert.deepEqual(await tagsOf(server, ResourceARN), Tags.slice(0, 1))
    })
  }
})

suite('UntagResource', () => {
  test('ignores the key of a tag that is not there, and one that comes twice', async () => {
    const arn = (await populate(server)).channelArn
    await server.messaging.tagResource({ ResourceARN: arn, Tags: [{ Key: 'k', Value: 'v' }] })
    await untag(arn, 'other', 'k', 'k')
    await untag(arn, 'k')
    assert.deepEqual(await tagsOf(server, arn), [])
  })

  test('makes room for another tag', async () => {
    const people = await populate(server)
    const Tags = Array.from({ length: 50 }, (_, index) => ({ Key: `k${index}`, Value: 'v' }))
    const arn = await people.createChannel({ Tags })
    await untag(arn, ...Tags.map(({ Key }) => Key))
    await server.messaging.tagResource({ ResourceARN: arn, Tags })
    assert.equal((await tagsOf(server, arn))?.length, 50)
  })

  test('of carillon:deadline brings back the 48 hours, but not for a message in processing', async () => {
    const people = await populate(server)
    const Tags = [{ Key: 'carillon:deadline', Value: '1s' }]
    const flow = await people.attachFlow(['first'], { Tags })
    const before = await people.sendHeld()
    await untag(flow, 'carillon:deadline')
    const after = await people.sendHeld()
    await passDeadline(people, before, clock)
    assert.equal(await people.status(before.ChannelMessage.MessageId), 'FAILED')
    assert.equal(await people.status(after.ChannelMessage.MessageId), 'PENDING')
    await people.allow(after)
    assert.equal(await people.status(after.ChannelMessage.MessageId), 'SENT')
  })
})

suite('UntagResource rejects', async () => {
  const people = await populate(server)
  const flow = await people.createFlow(['first'])
  const keys = (count: number) => Array.from({ length: count }, (_, index) => `k${index}`)
  const rejected: Record<string, [arn: string, TagKeys: string[], text: string | RegExp]> = {
    'what is no ARN': ['bells', ['k'], /'resourceARN'/],
    'no key': [flow, [], violation('tagKeys', 'have length greater than or equal to 1')],
    '51 keys': [flow, keys(51), violation('tagKeys', 'have length less than or equal to 50')],
    'an empty key': [flow, [''], /'tagKeys.1.member' .* greater than or equal to 1/],
    'a key of 129 characters': [flow, ['k'.repeat(129)], /'tagKeys.1.member' .* less than or equal to 128/],
    "a key with AWS's own prefix": [flow, ['aws:k'], /'tagKeys' .* the prefix aws: is reserved/],
    'an extension that a flow does not know': [
      flow,
      ['carillon:deadlin'],
      /'tagKeys' .* the tag carillon:deadlin is not known here \(known: carillon:deadline, carillon:on-deadline, carillon:attempts, carillon:retry, .*:3\)$/,
    ],
    'an extension of another kind of resource': [
      people.channelArn,
      ['carillon:deadline'],
      /the tag carillon:deadline is not known here \(known: none\)$/,
    ],
  }
  for (const [what, [arn, TagKeys, text]] of Object.entries(rejected)) {
    test(what, () => assertRefused(untag(arn, ...TagKeys), 'BadRequest', text))
  }

  test('an ARN without a resource', async () => {
    for (const arn of withoutResource(people.appInstanceArn))
      await assertRefused(untag(arn, 'k'), 'Forbidden', noAccess)
  })
})
