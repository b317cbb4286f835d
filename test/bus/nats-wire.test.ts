import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeNews, encodeNews, type News, Subjects } from '../../src/bus/nats-wire.ts'

const arn = fc.string({ unit: 'binary' })
const seq = fc.nat()
const envelope = fc.record(
  {
    channelArn: arn,
    seq,
    audience: fc.oneof(
      fc.record({ to: fc.constant('members' as const), and: arn }, { requiredKeys: ['to'] }),
      fc.record({ to: fc.constant('users' as const), users: fc.array(arn) }),
    ),
    joined: arn,
    closed: fc.constant(true as const),
    frame: fc.string({ unit: 'binary' }),
  },
  { requiredKeys: ['channelArn', 'seq', 'audience', 'frame'] },
)
const news = fc.oneof(
  fc.record({ kind: fc.constant('event'), envelope }),
  fc.record({ kind: fc.constant('reached'), channelArn: arn, seq }),
  fc.record({ kind: fc.constant('joined'), userArn: arn, channelArn: arn, seq }),
  fc.record({ kind: fc.constant('catch up') }),
) as fc.Arbitrary<News>

test('all news survive the way', () => {
  fc.assert(fc.property(news, (sent) => assert.deepEqual(plain(decodeNews(encodeNews(sent))), plain(sent))))
})

test('an event without a number survives the way', () => {
  const sent: News = {
    kind: 'event',
    envelope: { channelArn: 'C', seq: undefined, audience: { to: 'members' }, frame: 'x' },
  }
  const arrived = decodeNews(encodeNews(sent))
  assert.ok(arrived.kind === 'event')
  assert.equal(arrived.envelope.seq, undefined)
})

const plain = (value: News): object => JSON.parse(JSON.stringify(value))

for (const text of [
  '',
  'no JSON',
  'null',
  '{}',
  '{"kind":"event"}',
  '{"kind":"event","channelArn":"C"}\nframe',
  '{"kind":"event","channelArn":"C","seq":"1","audience":{"to":"members"}}\nframe',
  '{"kind":"event","channelArn":"C","seq":1,"audience":{"to":"users"}}\nframe',
  '{"kind":"event","channelArn":"C","seq":1,"audience":{"to":"members"}}',
  '{"kind":"reached","channelArn":"C"}',
  '{"kind":"joined","channelArn":"C","seq":1}',
]) {
  test(`what is no news is not taken for some: ${JSON.stringify(text)}`, () => {
    assert.throws(() => decodeNews(text))
  })
}

test('subjects are words that NATS takes, each its own', () => {
  const subjects = new Subjects('carillon')
  const arns = ['arn:aws:chime:us-east-1:1:app-instance/a/channel/b.c', 'a b', '>', '*']
  const all = arns.flatMap((some) => [subjects.channel(some), subjects.user(some)])
  assert.equal(new Set(all).size, all.length)
  for (const subject of all) assert.match(subject, /^carillon\.(channel|user)\.[\w-]+$/)
})
