import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeNews, encodeNews, type News, Subjects } from '../../src/bus/nats-wire.ts'

const arn = fc.string({ unit: 'binary' })
const seq = fc.nat()
const ref = { channelId: fc.nat(), channelArn: arn }
const envelope = fc.record(
  {
    ...ref,
    seq,
    audience: fc.oneof(
      fc.record({ to: fc.constant('members' as const) }),
      fc.record({ to: fc.constant('users' as const), users: fc.array(arn) }),
    ),
    joins: fc.array(arn),
    leaves: arn,
    closes: fc.constant(true as const),
    frame: fc.string({ unit: 'binary' }),
  },
  { requiredKeys: ['channelId', 'channelArn', 'seq', 'audience', 'frame'] },
)
const news = fc.oneof(
  fc.record({ kind: fc.constant('event'), envelope }),
  fc.record({ kind: fc.constant('reached'), ...ref, seq }),
  fc.record({ kind: fc.constant('joined'), userArn: arn, ...ref, seq }),
  fc.record({ kind: fc.constant('changed'), userArn: arn }),
  fc.record({ kind: fc.constant('catch up') }),
) as fc.Arbitrary<News>

test('all news survive the way', () => {
  fc.assert(fc.property(news, (sent) => assert.deepEqual(plain(decodeNews(encodeNews(sent))), plain(sent))))
})

const typing: News = {
  kind: 'event',
  envelope: { channelId: 1, channelArn: 'C', seq: undefined, audience: { to: 'members' }, frame: 'x' },
}

test('an event without a number survives the way', () => {
  const arrived = decodeNews(encodeNews(typing))
  assert.ok(arrived?.kind === 'event')
  assert.equal(arrived.envelope.seq, undefined)
})

const plain = (value: News | undefined): object => JSON.parse(JSON.stringify(value))

for (const release of ['the release before', 'an unknown kind'] as const) {
  test(`news of ${release} say what to read instead`, () => {
    const channel = { channelId: 1, channelArn: 'C' }
    const event: News = { kind: 'event', envelope: { ...channel, seq: 7, audience: { to: 'members' }, frame: 'x' } }
    const instead: [News, News | undefined][] = [
      [event, { kind: 'reached', ...channel, seq: 7 }],
      [
        { kind: 'reached', ...channel, seq: 7 },
        { kind: 'reached', ...channel, seq: 7 },
      ],
      [
        { kind: 'joined', userArn: 'ann', ...channel, seq: 7 },
        { kind: 'changed', userArn: 'ann' },
      ],
      [
        { kind: 'changed', userArn: 'ann' },
        { kind: 'changed', userArn: 'ann' },
      ],
      [{ kind: 'catch up' }, { kind: 'catch up' }],
      [typing, undefined],
    ]
    for (const [sent, read] of instead) assert.deepEqual(decodeNews(encodeNews(sent, release)), read)
  })
}

test('a node of the release before reads its own news, and for newer ones the store', () => {
  const release = 'the release before'
  const joined: News = { kind: 'joined', userArn: 'ann', channelId: 1, channelArn: 'C', seq: 7 }
  assert.deepEqual(decodeNews(encodeNews(joined, release), release), joined)
  assert.deepEqual(decodeNews(encodeNews(joined), release), { kind: 'changed', userArn: 'ann' })
})

for (const text of [
  '',
  'no JSON',
  'null',
  '{}',
  '{"kind":"event"}',
  '{"v":1}',
  '{"v":"1","kind":"catch up"}',
  '{"v":1,"kind":"event"}',
  '{"v":1,"kind":"event","channelId":1,"channelArn":"C"}\nframe',
  '{"v":1,"kind":"event","channelArn":"C","seq":1,"audience":{"to":"members"}}\nframe',
  '{"v":1,"kind":"event","channelId":1,"channelArn":"C","seq":"1","audience":{"to":"members"}}\nframe',
  '{"v":1,"kind":"event","channelId":1,"channelArn":"C","seq":1,"audience":{"to":"users"}}\nframe',
  '{"v":1,"kind":"event","channelId":1,"channelArn":"C","seq":1,"audience":{"to":"members"}}',
  '{"v":1,"kind":"reached","channelId":1,"channelArn":"C"}',
  '{"v":1,"kind":"joined","channelId":1,"channelArn":"C","seq":1}',
  '{"v":1,"kind":"changed"}',
]) {
  test(`what is no news is not taken for some: ${JSON.stringify(text)}`, () => {
    assert.throws(() => decodeNews(text))
  })
}

test('subjects are words that NATS takes, each its own', () => {
  const subjects = new Subjects('carillon')
  const arns = ['arn:aws:chime:us-east-1:1:app-instance/a/user/b.c', 'a b', '>', '*']
  const all = [...arns.map((some) => subjects.user(some)), ...[1, 2].map((some) => subjects.channel(some))]
  assert.equal(new Set(all).size, all.length)
  for (const subject of all) assert.match(subject, /^carillon\.(channel|user)\.[\w-]+$/)
})
