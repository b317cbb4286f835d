import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type BusMessage, decodeMessage, encodeMessage, Subjects } from '../../src/bus/nats-wire.ts'

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
const anyMessage = fc.oneof(
  fc.record({ kind: fc.constant('event'), envelope }),
  fc.record({ kind: fc.constant('reached'), ...ref, seq }),
  fc.record({ kind: fc.constant('joined'), userArn: arn, ...ref, seq }),
  fc.record({ kind: fc.constant('changed'), userArn: arn }),
  fc.record({ kind: fc.constant('catch up') }),
) as fc.Arbitrary<BusMessage>

test('each bus message survives encoding and decoding', () => {
  fc.assert(fc.property(anyMessage, (sent) => assert.deepEqual(plain(decodeMessage(encodeMessage(sent))), plain(sent))))
})

const typing: BusMessage = {
  kind: 'event',
  envelope: { channelId: 1, channelArn: 'C', seq: undefined, audience: { to: 'members' }, frame: 'x' },
}

test('an event without a number survives encoding and decoding', () => {
  const arrived = decodeMessage(encodeMessage(typing))
  assert.ok(arrived?.kind === 'event')
  assert.equal(arrived.envelope.seq, undefined)
})

const plain = (value: BusMessage | undefined): object => JSON.parse(JSON.stringify(value))

for (const release of ['the release before', 'an unknown kind'] as const) {
  test(`a message of ${release} says what to read instead`, () => {
    const channel = { channelId: 1, channelArn: 'C' }
    const event: BusMessage = {
      kind: 'event',
      envelope: { ...channel, seq: 7, audience: { to: 'members' }, frame: 'x' },
    }
    const instead: [BusMessage, BusMessage | undefined][] = [
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
    for (const [sent, read] of instead) assert.deepEqual(decodeMessage(encodeMessage(sent, release)), read)
  })
}

test('a node of the release before reads its own messages, and for newer ones the store', () => {
  const release = 'the release before'
  const joined: BusMessage = { kind: 'joined', userArn: 'ann', channelId: 1, channelArn: 'C', seq: 7 }
  assert.deepEqual(decodeMessage(encodeMessage(joined, release), release), joined)
  assert.deepEqual(decodeMessage(encodeMessage(joined), release), { kind: 'changed', userArn: 'ann' })
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
  test(`a malformed message is rejected: ${JSON.stringify(text)}`, () => {
    assert.throws(() => decodeMessage(text))
  })
}

test('subjects are valid words of NATS and differ', () => {
  const subjects = new Subjects('carillon')
  const arns = ['arn:aws:chime:us-east-1:1:app-instance/a/user/b.c', 'a b', '>', '*']
  const all = [...arns.map((some) => subjects.user(some)), ...[1, 2].map((some) => subjects.channel(some))]
  assert.equal(new Set(all).size, all.length)
  for (const subject of all) assert.match(subject, /^carillon\.(channel|user)\.[\w-]+$/)
})
