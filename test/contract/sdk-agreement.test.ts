import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TSchema } from 'typebox'
import { operations } from '../../src/api/index.ts'
import { ApiError, type ErrorCode } from '../../src/contract/api-error.ts'
import * as shapes from '../../src/contract/shapes.ts'
import { type MemberFacts, type OperationFact, readMember } from './facts/notation.ts'
import { shapeFacts } from './facts/shapes.ts'
import { operationFacts, structureFacts } from './facts.ts'
import { sdkEnums, sdkErrors, sdkOperation, sdkOperationInEach, sdkOperationNames } from './sdk-schemas.ts'
import { type Keywords, type Members, type Shape, type WireOperation, wireForm } from './wire-form.ts'

/** Members of our answers that AWS's do not have, by operation. Clients ignore them; each is described in the docs. */
const extensions: Record<string, string[]> = {}

/** Our name for an enum that the services have under one name with different values. */
const renamedEnums: Record<string, string> = { UserExpirationCriterion: 'ExpirationCriterion' }

test('there are operations to compare, and each is one of AWS', (t) => {
  const names = operations.map(({ name }) => name)
  assert.ok(names.length > 0, 'src/api/index.ts lists no operation, so nothing was compared')
  assert.deepEqual(
    names.filter((name) => !sdkOperationNames.includes(name)),
    [],
  )
  const missing = sdkOperationNames.filter((name) => !names.includes(name))
  t.diagnostic(`${missing.length} of AWS's ${sdkOperationNames.length} operations are not here: ${missing.join(', ')}`)
})

for (const operation of operations) {
  test(`${operation.name} is on the wire as the SDK has it`, () => {
    const { output, ...ours } = wireForm(operation)
    const { output: sdkOutput, ...sdks } = sdkOperation(operation.name) ?? { output: {} }
    assert.deepEqual(ours, sdks)
    assert.deepEqual(without(output, extensions[operation.name] ?? []), sdkOutput)
  })
}

test('what both services have is the same in both: one route serves the clients of both', () => {
  const shared = sdkOperationNames.filter((name) => sdkOperationInEach(name).length > 1)
  assert.deepEqual(shared.sort(), ['ListTagsForResource', 'TagResource', 'UntagResource'])
  for (const name of shared) {
    const [messaging, identity] = sdkOperationInEach(name)
    assert.deepEqual(messaging, identity, name)
  }
})

const without = (members: Members, names: string[]): Members =>
  Object.fromEntries(Object.entries(members).filter(([name]) => !names.includes(name)))

test('every operation of the SDK has facts, and no other', () =>
  assert.deepEqual(Object.keys(operationFacts).sort(), [...sdkOperationNames].sort()))

for (const [name, facts] of Object.entries(operationFacts)) {
  test(`the facts of ${name} agree with the SDK`, () =>
    assert.deepEqual(withoutSensitive(factForm(facts)), withoutSensitive(sdkOperation(name))))
}

/** As wireForm, of facts. They do not say what is sensitive. */
function factForm({ http, input, output }: OperationFact): WireOperation {
  const [method = '', target = '', status] = http.split(' ')
  return { method, target, status: Number(status), input: factMembers(input), output: factMembers(output) }
}

const factMembers = (members: MemberFacts): Members =>
  Object.fromEntries(
    Object.entries(members).map(([name, text]) => {
      const { shape, ...member } = readMember(text)
      return [name, { ...member, ...factShape(shape) }]
    }),
  )

function factShape(name: string): Shape {
  const members = structureFacts[name]
  if (members) return { kind: 'structure', sensitive: false, members: factMembers(members) }
  const { kind, of, key } = shapeFacts[name]!
  const simple = { integer: 'number', enum: 'string' } as Record<string, string>
  return {
    kind: simple[kind] ?? kind,
    sensitive: false,
    ...(of && { of: factShape(of) }),
    ...(key && { key: factShape(key) }),
  }
}

const withoutSensitive = (form: WireOperation | undefined) =>
  JSON.parse(JSON.stringify(form, (key, value) => (key === 'sensitive' ? undefined : value)))

const ourEnums = Object.entries(shapes as Record<string, TSchema>).flatMap(([name, schema]): [string, string[]][] => {
  const { enum: values } = schema as Keywords
  return values ? [[name, values]] : []
})

test('there are enums to compare', () => assert.ok(ourEnums.length > 0))

for (const [name, values] of ourEnums) {
  test(`the enum ${name} has the values that the SDK has`, () => {
    const theirs = sdkEnums.map((enums) => enums.get(renamedEnums[name] ?? name)).filter((found) => found !== undefined)
    assert.ok(
      theirs.some((found) => sameValues(found, values)),
      `the SDK has ${theirs.map((found) => found.join(', ')).join(' or ')}, we have ${values.join(', ')}`,
    )
  })
}

const sameValues = (some: string[], others: string[]) => [...some].sort().join() === [...others].sort().join()

test('every error has the class and the status that the SDK has, and there is no other', () => {
  const codes: Record<ErrorCode, true> = {
    BadRequest: true,
    ResourceLimitExceeded: true,
    Unauthorized: true,
    Forbidden: true,
    NotFound: true,
    Conflict: true,
    Throttled: true,
    ServiceFailure: true,
    ServiceUnavailable: true,
  }
  const ours = Object.keys(codes).map((code) => new ApiError(code as ErrorCode, ''))
  assert.deepEqual(new Map(ours.map(({ type, status }) => [type, status])), sdkErrors)
  for (const enums of sdkEnums) {
    assert.deepEqual(
      Object.keys(codes).filter((code) => !enums.get('ErrorCode')?.includes(code)),
      [],
    )
  }
})
