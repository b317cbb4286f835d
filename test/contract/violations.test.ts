import assert from 'node:assert/strict'
import { test } from 'node:test'
import Type, { type TProperties } from 'typebox'
import { Compile } from 'typebox/compile'
import { bearer, idempotencyToken, optional } from '../../src/contract/binding.ts'
import {
  ChannelMode,
  ClientRequestToken,
  MaxResults,
  NonEmptyResourceName,
  NonNullableBoolean,
  ResourceName,
  Timestamp,
} from '../../src/contract/shapes.ts'
import { ProcessorList } from '../../src/contract/structures/channel-flows.ts'
import { MessageAttributeMap, TargetList } from '../../src/contract/structures/channel-messages.ts'
import { ExpirationSettings } from '../../src/contract/structures/channels.ts'
import { TagList } from '../../src/contract/structures/tags.ts'
import { describeViolations, violationsOf } from '../../src/contract/violations.ts'

const nothingMissing = 'Member must not be null'
const notShorterThan = (limit: number) => `Member must have length greater than or equal to ${limit}`
const notLongerThan = (limit: number) => `Member must have length less than or equal to ${limit}`
const ofType = (type: string) => `Member must have value of type ${type}`

const messageOf = (properties: TProperties, input: unknown) =>
  describeViolations(violationsOf(Compile(Type.Object(properties)), input))

/** The message for an input with these violations, each a name and a constraint. */
const detected = (...violations: [name: string, constraint: string][]) => {
  const noun = violations.length === 1 ? 'error' : 'errors'
  const texts = violations.map(([name, text]) => `Value at '${name}' failed to satisfy constraint: ${text}`)
  return `${violations.length} validation ${noun} detected: ${texts.join('; ')}`
}

test('the wording is the one of AWS', () =>
  assert.equal(
    messageOf({ Name: NonEmptyResourceName }, { Name: '' }),
    "1 validation error detected: Value at 'name' failed to satisfy constraint: Member must have length greater than or equal to 1",
  ))

test('several violations are counted and come in one message, what is missing first', () =>
  assert.equal(
    messageOf(
      { Name: NonEmptyResourceName, ChimeBearer: bearer(), Mode: ChannelMode, MaxResults: optional(MaxResults) },
      { Mode: 'OPEN', MaxResults: 51 },
    ),
    "4 validation errors detected: Value at 'name' failed to satisfy constraint: Member must not be null; " +
      "Value at 'chimeBearer' failed to satisfy constraint: Member must not be null; " +
      "Value at 'mode' failed to satisfy constraint: Member must satisfy enum value set: [UNRESTRICTED, RESTRICTED]; " +
      "Value at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 50",
  ))

test('one member may violate several constraints', () =>
  assert.equal(
    messageOf({ ClientRequestToken: idempotencyToken(ClientRequestToken) }, { ClientRequestToken: 'ü' }),
    detected(
      ['clientRequestToken', notShorterThan(2)],
      ['clientRequestToken', 'Member must satisfy regular expression pattern: ^[-_a-zA-Z0-9]*$'],
    ),
  ))

test('lengths are counted in code points', () => {
  const validator = Compile(Type.Object({ Name: ResourceName }))
  assert.ok(validator.Check({ Name: '😀'.repeat(256) }))
  assert.equal(
    describeViolations(violationsOf(validator, { Name: '😀'.repeat(257) })),
    detected(['name', notLongerThan(256)]),
  )
})

const wrongTypes: [member: string, value: unknown, constraint: string][] = [
  ['Name', 5, ofType('string')],
  ['Name', ['a'], ofType('string')],
  ['Limit', '5', ofType('integer')],
  ['Limit', 1.5, ofType('integer')],
  ['Limit', 0, 'Member must have value greater than or equal to 1'],
  ['Flag', 'true', ofType('boolean')],
  ['NotBefore', 'noon', ofType('timestamp')],
  ['Mode', 1, 'Member must satisfy enum value set: [UNRESTRICTED, RESTRICTED]'],
  ['Tags', {}, ofType('array')],
  ['Tags', [], notShorterThan(1)],
  ['Target', [{}, {}], notLongerThan(1)],
  ['Settings', [], ofType('object')],
  ['Attributes', 'a', ofType('object')],
  ['Attributes', [], ofType('object')],
]
const kinds = {
  Name: optional(ResourceName),
  Limit: optional(MaxResults),
  Flag: optional(NonNullableBoolean),
  NotBefore: optional(Timestamp),
  Mode: optional(ChannelMode),
  Tags: optional(TagList),
  Target: optional(TargetList),
  Settings: optional(ExpirationSettings),
  Attributes: optional(MessageAttributeMap),
}
for (const [member, value, constraint] of wrongTypes) {
  test(`${member}: ${JSON.stringify(value)} is refused: ${constraint}`, () => {
    const name = member.charAt(0).toLowerCase() + member.slice(1)
    assert.equal(messageOf(kinds, { [member]: value }), detected([name, constraint]))
  })
}

test('members of structures and lists are named by their way through the input', () => {
  const processor = {
    Name: '',
    Configuration: { Lambda: { ResourceArn: 'x', InvocationType: 'SYNC' } },
    ExecutionOrder: 4,
    FallbackAction: 'ABORT',
  }
  assert.equal(
    messageOf({ Processors: ProcessorList }, { Processors: [processor, { ...processor, Configuration: {} }, {}] }),
    detected(
      ['processors.1.member.name', notShorterThan(1)],
      ['processors.1.member.configuration.lambda.resourceArn', notShorterThan(15)],
      [
        'processors.1.member.configuration.lambda.resourceArn',
        'Member must satisfy regular expression pattern: ^arn:aws:lambda:[a-z]{2}-[a-z]+-\\d{1}:\\d{12}:function:' +
          '[a-zA-Z0-9\\-_.]+(:(\\$LATEST|[a-zA-Z0-9\\-_]+))?$',
      ],
      ['processors.1.member.configuration.lambda.invocationType', 'Member must satisfy enum value set: [ASYNC]'],
      ['processors.1.member.executionOrder', 'Member must have value less than or equal to 3'],
      ['processors.2.member.name', notShorterThan(1)],
      ['processors.2.member.configuration.lambda', nothingMissing],
      ['processors.2.member.executionOrder', 'Member must have value less than or equal to 3'],
      ['processors.3.member.name', nothingMissing],
      ['processors.3.member.configuration', nothingMissing],
      ['processors.3.member.executionOrder', nothingMissing],
      ['processors.3.member.fallbackAction', nothingMissing],
    ),
  )
})

test('values of a map are named by their key as it is', () =>
  assert.equal(
    messageOf(
      { MessageAttributes: MessageAttributeMap },
      { MessageAttributes: { 1: { StringValues: [''] }, Colour: { StringValues: 'red' }, 'a/b~c.d': 5 } },
    ),
    detected(
      ['messageAttributes.1.member.stringValues.1.member', notShorterThan(1)],
      ['messageAttributes.Colour.member.stringValues', ofType('array')],
      ['messageAttributes.a/b~c.d.member', ofType('object')],
    ),
  ))

test('keys of a map are refused without being repeated', () =>
  assert.equal(
    messageOf(
      { MessageAttributes: MessageAttributeMap },
      { MessageAttributes: { '': {}, ['x'.repeat(65)]: {}, ['y'.repeat(99)]: {} } },
    ),
    detected(
      ['messageAttributes', `Map keys must satisfy constraint: [${notShorterThan(1)}]`],
      ['messageAttributes', `Map keys must satisfy constraint: [${notLongerThan(64)}]`],
    ),
  ))

test('a key of any length leaves the message short', () => {
  const input = { MessageAttributes: { ['x'.repeat(1_000_000)]: { StringValues: [5] } } }
  assert.ok(messageOf({ MessageAttributes: MessageAttributeMap }, input).length < 500)
})

test('null is told from a wrong type', () => {
  assert.equal(messageOf({ Name: ResourceName }, { Name: null }), detected(['name', nothingMissing]))
  assert.equal(
    messageOf(
      { Target: TargetList, Tones: Type.Array(ChannelMode), MessageAttributes: MessageAttributeMap },
      { Target: [null], Tones: [null], MessageAttributes: { a: null, b: { StringValues: [null] } } },
    ),
    detected(
      ['target.1.member', nothingMissing],
      ['tones.1.member', nothingMissing],
      ['messageAttributes.a.member', nothingMissing],
      ['messageAttributes.b.member.stringValues.1.member', nothingMissing],
    ),
  )
})

test('a name with an emoji is good, one with a control character is not', () => {
  const validator = Compile(Type.Object({ Name: NonEmptyResourceName }))
  assert.ok(validator.Check({ Name: 'Glocke 🔔' }))
  assert.match(
    describeViolations(violationsOf(validator, { Name: 'Glocke \u0007' })),
    /^1 .* regular expression pattern: \^\[/,
  )
})

test('no more than fifty violations are listed', () => {
  const input = { Tones: Array.from({ length: 1000 }, () => 5) }
  assert.match(messageOf({ Tones: Type.Array(ResourceName) }, input), /^50 validation errors detected: /)
})
