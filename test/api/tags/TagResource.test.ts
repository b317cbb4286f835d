import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Tag } from '@aws-sdk/client-chime-sdk-messaging'
import { ManualClock } from '../../support/manual-clock.ts'
import { populate } from '../../support/population.ts'
import { assertRefused, noAccess, outcomeOf, violation } from '../../support/refusals.ts'
import { startTestServer } from '../../support/running-server.ts'
import { createTagged, passDeadline, tagsOf, withoutResource } from './tagged.ts'

const clock = new ManualClock(Date.now())
const server = await startTestServer({ clock })
const tag = (ResourceARN: string, ...Tags: Tag[]) => server.messaging.tagResource({ ResourceARN, Tags })
const numbered = (from: number, count: number): Tag[] =>
  Array.from({ length: count }, (_, index) => ({ Key: `k${from + index}`, Value: 'v' }))

suite('TagResource adds to the tags that were given at creation', async () => {
  const created = { Key: 'a', Value: 'created' }
  const tagged = await createTagged(server, created)
  for (const [kind, ResourceARN] of Object.entries(tagged)) {
    test(`of a ${kind}, by the clients of both services`, async () => {
      const [b, c] = [
        { Key: 'b', Value: 'by messaging' },
        { Key: 'c', Value: 'by identity' },
      ]
      const { $metadata } = await server.messaging.tagResource({ ResourceARN, Tags: [b] })
      assert.equal($metadata.httpStatusCode, 204)
      await server.identity.tagResource({ ResourceARN, Tags: [c] })
      assert.deepEqual(await tagsOf(server, ResourceARN), [created, b, c])
    })
  }
})

suite('TagResource', () => {
  test('replaces the value of a tag that is there', async () => {
    const arn = (await populate(server)).channelArn
    await tag(arn, { Key: 'k', Value: 'old' }, { Key: 'other', Value: 'o' })
    await tag(arn, { Key: 'k', Value: 'new' })
    const expected = [
      { Key: 'k', Value: 'new' },
      { Key: 'other', Value: 'o' },
    ]
    assert.deepEqual(await tagsOf(server, arn), expected)
  })

  test('takes any text: case counts, and so does every character', async () => {
    const arn = (await populate(server)).appInstanceArn
    const odd = ['K', '__proto__', 'constructor', 'k', 'línea\n', '\0', '\ud800', '🔔'.repeat(128)]
    const Tags = odd.map((Key) => ({ Key, Value: Key.repeat(2) }))
    await tag(arn, ...Tags)
    const byKey = (some: Tag, other: Tag) => (some.Key! < other.Key! ? -1 : 1)
    assert.deepEqual((await tagsOf(server, arn))?.sort(byKey), Tags.sort(byKey))
  })

  test('leaves the resource as it is, and tells no session', async () => {
    const people = await populate(server)
    const session = await server.session(people.member)
    const channel = { ChannelArn: people.channelArn, ChimeBearer: people.member }
    const before = (await server.messaging.describeChannel(channel)).Channel
    clock.advance(1)
    await tag(people.channelArn, { Key: 'k', Value: 'v' })
    assert.deepEqual((await server.messaging.describeChannel(channel)).Channel, before)
    await people.send()
    assert.deepEqual(await session.eventTypes(1), ['CREATE_CHANNEL_MESSAGE'])
  })
})

suite('TagResource of a channel that is deleted meanwhile', () => {
  test('leaves no tag for the channel that is created again', async () => {
    const people = await populate(server)
    for (let round = 0; round < 10; round += 1) {
      const ChannelArn = await people.createChannel({ ChannelId: 'again' })
      const deletion = { ChannelArn, ChimeBearer: people.owner }
      const tagging = outcomeOf(tag(ChannelArn, { Key: 'k', Value: 'v' }))
      await Promise.all([tagging, server.messaging.deleteChannel(deletion)])
      assert.match(await tagging, /^(accepted|Forbidden)$/)
      await people.createChannel({ ChannelId: 'again' })
      assert.deepEqual(await tagsOf(server, ChannelArn), [])
      await server.messaging.deleteChannel(deletion)
    }
  })
})

suite('TagResource rejects', async () => {
  const people = await populate(server)
  const flow = await people.createFlow(['first'])
  const rejected: Record<string, [arn: string, Tags: Tag[], text: string | RegExp]> = {
    'what is no ARN': ['bells', numbered(0, 1), /'resourceARN'/],
    'no tag': [flow, [], violation('tags', 'have length greater than or equal to 1')],
    '51 tags': [flow, numbered(0, 51), violation('tags', 'have length less than or equal to 50')],
    'an empty key': [flow, [{ Key: '', Value: 'v' }], /'tags.1.member.key' .* greater than or equal to 1/],
    'a key of 129 characters': [flow, [{ Key: 'k'.repeat(129), Value: 'v' }], /'tags.1.member.key' .* equal to 128/],
    'an empty value': [flow, [{ Key: 'k', Value: '' }], /'tags.1.member.value' .* greater than or equal to 1/],
    'a value of 257 characters': [flow, [{ Key: 'k', Value: 'v'.repeat(257) }], /'tags.1.member.value' .* to 256/],
    'a key twice': [
      flow,
      [...numbered(1, 2), ...numbered(1, 1)],
      violation('tags', 'have a different key in each tag'),
    ],
    "a key with AWS's own prefix": [flow, [{ Key: 'aws:k', Value: 'v' }], /the prefix aws: is reserved/],
    "AWS's own prefix in capitals": [flow, [{ Key: 'AWS:k', Value: 'v' }], /the prefix aws: is reserved/],
    'an extension that a flow does not know': [
      flow,
      [{ Key: 'carillon:deadlin', Value: '30s' }],
      /the tag carillon:deadlin is not known here \(known: carillon:deadline, carillon:on-deadline, carillon:attempts, carillon:retry, .*:3\)$/,
    ],
    'an extension of another kind of resource': [
      people.channelArn,
      [{ Key: 'carillon:deadline', Value: '30s' }],
      /the tag carillon:deadline is not known here \(known: none\)$/,
    ],
    'a deadline out of range': [flow, [{ Key: 'carillon:deadline', Value: '31d' }], /from 100ms to 30d/],
  }
  for (const [what, [arn, Tags, text]] of Object.entries(rejected)) {
    test(what, async () => {
      await assertRefused(tag(arn, ...Tags), 'BadRequest', text)
      if (arn !== 'bells') assert.deepEqual(await tagsOf(server, arn), [])
    })
  }

  test('an ARN without a resource', async () => {
    for (const arn of withoutResource(people.appInstanceArn)) {
      await assertRefused(tag(arn, { Key: 'k', Value: 'v' }), 'Forbidden', noAccess)
    }
  })

  test('the 51st tag of a resource, and none of those that come with it is set', async () => {
    const text = 'The limit of 50 tags per resource is reached'
    const arn = await people.createChannel({ Tags: numbered(0, 49) })
    await assertRefused(tag(arn, ...numbered(48, 3)), 'ResourceLimitExceeded', text)
    assert.equal((await tagsOf(server, arn))?.length, 49)
    await tag(arn, ...numbered(48, 2))
    await tag(arn, { Key: 'k0', Value: 'new' })
    await assertRefused(tag(arn, { Key: 'k50', Value: 'v' }), 'ResourceLimitExceeded', text)
  })

  test('what is above 50 of sixty calls at once', async () => {
    const arn = people.user('member')
    const outcomes = await Promise.all(numbered(0, 60).map((one) => outcomeOf(tag(arn, one))))
    assert.equal(outcomes.filter((outcome) => outcome === 'accepted').length, 50)
    assert.equal(outcomes.filter((outcome) => outcome === 'ResourceLimitExceeded').length, 10)
    assert.equal((await tagsOf(server, arn))?.length, 50)
  })
})

suite('TagResource of carillon:deadline', () => {
  test('counts for the messages that follow, and not for one in processing', async () => {
    const people = await populate(server)
    const flow = await people.attachFlow(['first'], { Tags: [{ Key: 'carillon:deadline', Value: '1h' }] })
    const before = await people.sendHeld()
    await tag(flow, { Key: 'carillon:deadline', Value: '1s' }, { Key: 'team', Value: 'bells' })
    const after = await people.sendHeld()
    await passDeadline(people, after, clock)
    assert.equal(await people.status(after.ChannelMessage.MessageId), 'FAILED')
    await people.allow(before)
    assert.equal(await people.status(before.ChannelMessage.MessageId), 'SENT')
  })

  test('that is rejected changes nothing', async () => {
    const people = await populate(server)
    const Tags = [...numbered(0, 49), { Key: 'carillon:deadline', Value: '1s' }]
    const flow = await people.attachFlow(['first'], { Tags })
    const longer = [{ Key: 'carillon:deadline', Value: '1h' }, ...numbered(49, 1)]
    await assertRefused(tag(flow, ...longer), 'ResourceLimitExceeded')
    const event = await people.sendHeld()
    clock.advance(1_000)
    await passDeadline(people, event, clock)
    await assertRefused(people.allow(event), 'Forbidden', noAccess)
  })
})
