import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TSchema } from 'typebox'
import { operations } from '../../src/api/index.ts'
import { bindingOf } from '../../src/contract/binding.ts'
import * as shapes from '../../src/contract/shapes.ts'
import { type MemberFacts, readMember } from './facts/notation.ts'
import { type ShapeFact, shapeFacts } from './facts/shapes.ts'
import { operationFacts, structureFacts } from './facts.ts'
import { type Keywords, membersOf, wireForm } from './wire-form.ts'

/** Our name for a shape that the services have under one name with different marks. */
const renamed: Record<string, string> = { IdentityClientRequestToken: 'ClientRequestToken' }

/** Every operation may return these. */
const commonErrors = ['Unauthorized', 'Throttled', 'ServiceFailure', 'ServiceUnavailable']
const declaredErrors = ['BadRequest', 'Conflict', 'Forbidden', 'NotFound', 'ResourceLimitExceeded']

const ourShapes = Object.entries(shapes as Record<string, TSchema>)
const folder = join(import.meta.dirname, '../../src/contract/structures')
const ourStructures: Record<string, TSchema> = {}
for (const file of readdirSync(folder)) Object.assign(ourStructures, await import(join(folder, file)))

test('there are shapes, structures and operations to compare', (t) => {
  assert.ok(ourShapes.length > 0 && Object.keys(ourStructures).length > 0 && operations.length > 0)
  const absent = Object.keys(structureFacts).filter((name) => !(name in ourStructures))
  t.diagnostic(`structures of AWS that no file exports: ${absent.join(', ')}`)
})

for (const [name, { http, input, output, errors }] of Object.entries(operationFacts)) {
  test(`the facts of ${name} are well-formed`, () => {
    assertKnown(input, `${name}.input`)
    assertKnown(output, `${name}.output`)
    const labels = http.match(/(?<=\{)\w+(?=\})/g) ?? []
    const inPath = Object.keys(input).filter((member) => readMember(input[member]!).travels === 'path')
    assert.deepEqual(inPath.sort(), labels.sort())
    assert.deepEqual(
      errors.filter((error) => !declaredErrors.includes(error)),
      [],
    )
  })
}

for (const [name, members] of Object.entries(structureFacts)) {
  test(`the facts of the structure ${name} are well-formed`, () => assertKnown(members, name))
}

for (const [name, schema] of ourShapes) {
  test(`the shape ${name} has the limits that AWS gives it`, () => assertShape(schema, renamed[name] ?? name, name))
}

for (const [name, schema] of Object.entries(ourStructures)) {
  test(`${name} is the structure that AWS has`, () => assertShape(schema, name, name))
}

for (const operation of operations) {
  const { name, input, output, errors } = operation
  const facts = operationFacts[name]

  test(`${name} is called as AWS has it, and its members have AWS's shapes`, () => {
    assert.ok(facts, `AWS has no operation ${name}`)
    const { method, target, status } = wireForm(operation)
    assert.equal(`${method} ${target} ${status}`, facts.http)
    assertMembers(input, facts.input, `${name}.input`)
    assertMembers(output, facts.output, `${name}.output`)
  })

  test(`${name} returns the errors that AWS lists`, () =>
    assert.deepEqual([...errors].sort(), [...(facts?.errors ?? []), ...commonErrors].sort()))
}

/** Fails for a text that is not in the notation, or names a shape that has no facts. */
function assertKnown(members: MemberFacts, where: string): void {
  const unknown = Object.values(members)
    .map((text) => readMember(text).shape)
    .filter((shape) => !(shape in shapeFacts || shape in structureFacts))
  assert.deepEqual(unknown, [], `${where} has shapes without facts`)
}

function assertMembers(structure: TSchema, facts: MemberFacts, where: string): void {
  const members = membersOf(structure)
  assert.deepEqual(Object.keys(members).sort(), Object.keys(facts).sort(), where)
  for (const [name, schema] of Object.entries((structure as Keywords).properties ?? {})) {
    const { shape, ...fact } = readMember(facts[name]!)
    const { travels, required, idempotencyToken } = members[name]!
    assert.deepEqual({ travels, required, idempotencyToken }, fact, `${where}.${name}`)
    assertShape(schema, shape, `${where}.${name}`)
  }
}

function assertShape(schema: TSchema, name: string, where: string): void {
  const { items, propertyNames, additionalProperties } = schema as Keywords
  const members = structureFacts[name]
  if (members) {
    assertMembers(schema, members, where)
    return
  }
  const fact = shapeFacts[name]
  assert.ok(fact, `AWS has no shape ${name}: see test/contract/facts/`)
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
