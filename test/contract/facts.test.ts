import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TSchema } from 'typebox'
import { Compile } from 'typebox/compile'
import { operations } from '../../src/api/index.ts'
import { bindingOf } from '../../src/contract/binding.ts'
import * as shapes from '../../src/contract/shapes.ts'
import { type ShapeFact, shapeFacts, structureFacts } from './facts.ts'
import { operationFacts } from './operation-facts.ts'
import type { Keywords } from './wire-form.ts'

/** Our name for a shape that the services have under one name with different marks. */
const renamed: Record<string, string> = { IdentityClientRequestToken: 'ClientRequestToken' }

/** Every operation may answer these. */
const commonErrors = ['Unauthorized', 'Throttled', 'ServiceFailure', 'ServiceUnavailable']

const ourShapes = Object.entries(shapes as Record<string, TSchema>)
const shapeOf = (name: string) => (shapes as Record<string, TSchema>)[name]!

test('there are shapes and operations to compare', (t) => {
  assert.ok(ourShapes.length > 0 && operations.length > 0, 'nothing was compared')
  const unused = Object.keys(shapeFacts).filter(
    (name) => !(name in shapes) && !['list', 'map'].includes(shapeFacts[name]!.kind),
  )
  t.diagnostic(`shapes of AWS that are not here: ${unused.join(', ')}`)
})

for (const [name, schema] of ourShapes) {
  test(`the shape ${name} has the limits that AWS gives it`, () => assertShape(schema, renamed[name] ?? name, name))
}

for (const operation of operations) {
  const { name, input, output, errors } = operation
  const facts = operationFacts[name]

  test(`the members of ${name} have the shapes that AWS gives them`, () => {
    assert.ok(facts, `add the facts of ${name} to test/contract/operation-facts.ts`)
    assertMembers(input.properties, facts.input, `${name}.input`)
    assertMembers(output.properties, facts.output, `${name}.output`)
  })

  test(`${name} answers the errors that AWS lists`, () =>
    assert.deepEqual([...errors].sort(), [...(facts?.errors ?? []), ...commonErrors].sort()))

  test(`${name} answers ${facts?.paginated ? 'in pages' : 'at once'}`, () => {
    const isPaginated =
      'NextToken' in input.properties && 'MaxResults' in input.properties && 'NextToken' in output.properties
    assert.equal(isPaginated, facts?.paginated ?? false)
  })
}

function assertMembers(properties: Record<string, TSchema>, members: Record<string, string>, where: string): void {
  assert.deepEqual(Object.keys(properties).sort(), Object.keys(members).sort(), where)
  for (const [member, schema] of Object.entries(properties)) assertShape(schema, members[member]!, `${where}.${member}`)
}

function assertShape(schema: TSchema, name: string, where: string): void {
  const { properties, items, propertyNames, additionalProperties } = schema as Keywords
  const members = structureFacts[name]
  if (members) {
    assertMembers(properties ?? {}, members, where)
    return
  }
  const fact = shapeFacts[name]
  assert.ok(fact, `add the facts of ${name} to test/contract/facts.ts`)
  // A bearer that is no ARN is answered with 401 by the operation, not with 400 as a violation.
  const isBearer = bindingOf(schema)?.in === 'header'
  assert.deepEqual(limitsOf(schema), isBearer ? limits({ kind: 'string' }) : limits(fact), where)
  if (fact.of) assertShape((items ?? additionalProperties)!, fact.of, `${where}[]`)
  if (fact.key) assertShape(propertyNames!, fact.key, `${where} keys`)
}

const limits = ({ kind, min, max, pattern, values }: ShapeFact) => ({
  kind,
  min,
  max,
  pattern: plainPattern(pattern),
  values,
})

/** The same of a schema of ours. */
function limitsOf(schema: TSchema): ReturnType<typeof limits> {
  const keywords = schema as Keywords
  return {
    kind: kindOf(keywords),
    min: keywords.minLength ?? keywords.minimum ?? keywords.minItems,
    max: keywords.maxLength ?? keywords.maximum ?? keywords.maxItems,
    pattern: plainPattern(keywords.pattern),
    values: keywords.enum,
  }
}

function kindOf({ type, timestamp, enum: values, propertyNames }: Keywords): ShapeFact['kind'] {
  if (timestamp) return 'timestamp'
  if (values) return 'enum'
  if (type === 'array') return 'list'
  return propertyNames ? 'map' : (type as 'string' | 'integer' | 'boolean')
}

/**
 * Without needless escapes, which are errors under the u flag, and undefined if it accepts every text. AWS means code
 * points by \u10000-\u10FFFF, where JavaScript reads four digits and takes the fifth for a character.
 */
function plainPattern(pattern: string | undefined): string | undefined {
  if (pattern === '.*' || pattern === '^[\\s\\S]*$') return undefined
  return pattern?.replaceAll(/\\([:_@.])/g, '$1').replaceAll(/\\u(10000|10FFFF)/g, '\\u{$1}')
}

const accepts = (name: string, value: unknown) => Compile(shapeOf(name)).Check(value)

/** Of texts with limits, the repeated part that their pattern allows; ARNs have limits for their parts. */
const repeatable: Record<string, string> = {
  ChannelId: 'a',
  UserId: 'a',
  MessageId: '-',
  SubChannelId: '_',
  ClientRequestToken: 'A',
  IdentityClientRequestToken: '9',
}

for (const [name, schema] of ourShapes) {
  const { minLength, maxLength, minimum, maximum } = schema as Keywords
  if (name.endsWith('Arn')) continue

  if (minLength !== undefined) {
    test(`${name} is as short and as long as it may be, counted in code points`, () => {
      const text = (length: number) => (repeatable[name] ?? '😀').repeat(length)
      assert.ok(accepts(name, text(minLength)))
      if (minLength > 0) assert.ok(!accepts(name, text(minLength - 1)))
      assert.ok(accepts(name, text(maxLength ?? 100_000)))
      if (maxLength !== undefined) assert.ok(!accepts(name, text(maxLength + 1)))
    })
  }

  if (minimum !== undefined) {
    test(`${name} is as small and as large as it may be, and whole`, () => {
      assert.ok(accepts(name, minimum) && !accepts(name, minimum - 1) && !accepts(name, minimum + 0.5))
      assert.ok(accepts(name, maximum ?? 2 ** 31))
      if (maximum !== undefined) assert.ok(!accepts(name, maximum + 1))
    })
  }
}

const arn = 'arn:aws:chime:us-east-1:111122223333:app-instance/A'
const functionArn = 'arn:aws:lambda:us-east-1:111122223333:function:redact'
const samples: Record<string, { good: string[]; bad: string[] }> = {
  ChimeArn: {
    good: [
      arn,
      `${arn}/channel/ü :@`,
      'arn:a::::b',
      `arn:a.b-c:::1:${'😀'.repeat(1024)}`,
      `arn:${'a'.repeat(63)}::::b`,
    ],
    bad: [
      '',
      'arn:',
      'app-instance/A',
      ` ${arn}`,
      'ARN:aws:chime:::A',
      'arn:::::b',
      'arn:a:::b',
      'arn:a::::/b',
      'arn:a::::b\nc',
      'arn:aws:Chime:::A',
      `arn:a::::${'😀'.repeat(1025)}`,
      `arn:${'a'.repeat(64)}::::b`,
    ],
  },
  LambdaFunctionArn: {
    good: [functionArn, `${functionArn}:$LATEST`, `${functionArn}:live-1`, `${functionArn}.v2`],
    bad: [
      'redact',
      `${functionArn}:`,
      `${functionArn}:$OTHER`,
      `${functionArn}:1:2`,
      functionArn.replace('1111', '111'),
    ],
  },
  ChannelId: {
    good: ['a', 'A9', 'a-b', 'a:b_c.d@e'],
    bad: ['-a', 'a-', 'a b', 'a/b', 'ü', 'a\n', '\na', 'a\\b'],
  },
  UserId: { good: ['user@example.com', '0'], bad: ['@a', 'a.', 'a+b'] },
  ClientRequestToken: { good: ['--', '_9', 'aZ'], bad: ['a.', 'a b', 'ab\n', 'üü'] },
  MessageId: { good: ['0-_Z'], bad: ['a.b', 'a/b', 'a\n'] },
  SubChannelId: { good: ['0-_Z'], bad: ['a.b', 'a/b', 'a\n'] },
  UserName: { good: [' a ', 'a\nb', '😀'], bad: [' ', '\n\t\u00a0'] },
  ResourceName: {
    good: ['', 'a\tb\r\nc', '~', '\u0085', '\u00a0', '\ud7ff', '\ue000', '\ufffd', '\u{10000}', '\u{10ffff}'],
    bad: ['\u0000', '\u0007', 'a\u000b', '\u007f', '\u0080', '\u009f', '\ud800', 'a\udc00', '\ufffe', '\uffff'],
  },
  NonEmptyResourceName: { good: ['Glocke 🔔'], bad: ['\u0007', '\ud83d'] },
  Metadata: { good: ['', 'a\nb', '\u0000'], bad: [] },
  NextToken: { good: ['a\nb', 'a+/='], bad: [] },
  NonEmptyContent: { good: ['\n', '\u0000', '\u2028'], bad: [''] },
}

for (const [name, { good, bad }] of Object.entries(samples)) {
  test(`${name} accepts what its pattern is meant to, and refuses the rest`, () => {
    assert.deepEqual(
      good.filter((text) => !accepts(name, text)),
      [],
    )
    assert.deepEqual(
      bad.filter((text) => accepts(name, text)),
      [],
    )
  })
}
