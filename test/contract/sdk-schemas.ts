import * as identity from '@aws-sdk/client-chime-sdk-identity'
import * as messaging from '@aws-sdk/client-chime-sdk-messaging'
import type { Member, Members, Shape, WireOperation } from './wire-form.ts'

/*
 * Reads the schemas that the SDK's packages export from their roots. They are arrays with a tag in front, a shape by
 * name being `[tag, namespace, name, traits, …]`; `StaticSchema` of @smithy/types documents them. They tell neither
 * lengths, patterns and ranges nor the errors of an operation, and no member says which enum it has.
 */

type Schema = number | readonly unknown[] | (() => Schema)
type Traits = Record<string, unknown>

/** Both packages, messaging first. */
const packages = [messaging, identity] as Record<string, unknown>[]

const tags = { simple: 0, list: 1, map: 2, structure: 3, error: -3, operation: 9 }
const simpleKinds = new Map([
  [0, 'string'],
  [1, 'number'],
  [2, 'boolean'],
  [4, 'timestamp'],
])
const listOf = 64
/** Traits that are told as one number, a bit for each. */
const flags = ['httpLabel', 'idempotent', 'idempotencyToken', 'sensitive']

export const sdkOperationNames: string[] = [
  ...new Set(packages.flatMap((exported) => Object.values(exported).filter(isOperation).map(nameOf))),
]

export const sdkOperation = (name: string): WireOperation | undefined => sdkOperationInEach(name)[0]

/** The same from each service that has it. */
export const sdkOperationInEach = (name: string): WireOperation[] =>
  packages
    .map((exported) => exported[`${name}$`])
    .filter(isOperation)
    .map(readOperation)

function readOperation([, , , traits, input, output]: readonly unknown[]): WireOperation {
  const [method, target, status] = traitsOf(traits).http as [string, string, number]
  return { method, target, status, input: membersOf(input as Schema), output: membersOf(output as Schema) }
}

/** The status of each exception, by the name of its class. */
export const sdkErrors = new Map(
  packages
    .flatMap((exported) => Object.values(exported))
    .filter((schema) => Array.isArray(schema) && schema[0] === tags.error)
    .map((schema): [string, unknown] => [nameOf(schema as unknown[]), traitsOf((schema as unknown[])[3]).httpError])
    .filter(([, status]) => status !== undefined),
)

/** The values of each exported enum, by its name, per package. */
export const sdkEnums = packages.map(
  (exported) =>
    new Map(
      Object.entries(exported)
        .filter((entry): entry is [string, Record<string, string>] => isEnum(entry[1]))
        .map(([name, values]) => [name, Object.values(values)]),
    ),
)

function isOperation(schema: unknown): schema is unknown[] {
  return Array.isArray(schema) && schema[0] === tags.operation
}

function isEnum(exported: unknown): boolean {
  const values = Object.values(exported ?? {})
  return typeof exported === 'object' && values.length > 0 && values.every((value) => typeof value === 'string')
}

function nameOf(schema: readonly unknown[]): string {
  return String(schema[2])
}

function traitsOf(traits: unknown): Traits {
  if (typeof traits !== 'number') return traits as Traits
  return Object.fromEntries(flags.filter((_, bit) => (traits >> bit) & 1).map((flag) => [flag, true]))
}

function membersOf(schema: Schema): Members {
  const structure = resolve(schema)
  // The output of an operation without one is Unit, a simple shape.
  if (!Array.isArray(structure) || structure[0] !== tags.structure) return {}
  const [, , , , names, schemas, requiredCount = 0] = structure as [0, 0, 0, 0, string[], Schema[], number?]
  return Object.fromEntries(names.map((name, index) => [name, memberOf(schemas[index]!, index < requiredCount)]))
}

function memberOf(schema: Schema, required: boolean): Member {
  const [target, memberTraits] = split(schema)
  const { httpLabel, httpQuery, httpHeader, idempotencyToken, sensitive } = traitsOf(memberTraits)
  const shape = shapeOf(target)
  return {
    ...shape,
    sensitive: shape.sensitive || sensitive !== undefined,
    travels: httpLabel ? 'path' : httpQuery ? `query ${httpQuery}` : httpHeader ? `header ${httpHeader}` : 'body',
    idempotencyToken: idempotencyToken !== undefined,
    required: required && idempotencyToken === undefined,
  }
}

function shapeOf(schema: Schema): Shape {
  const shape = resolve(split(schema)[0])
  if (typeof shape === 'number') {
    if (shape & listOf) return { kind: 'list', sensitive: false, of: shapeOf(shape & ~listOf) }
    const kind = simpleKinds.get(shape)
    if (!kind) throw new Error(`The SDK has a new kind of shape, ${shape}`)
    return { kind, sensitive: false }
  }
  const [tag, , , traits, first, second] = shape as [number, string, string, unknown, Schema, Schema]
  const sensitive = traitsOf(traits).sensitive !== undefined
  if (tag === tags.simple) return { ...shapeOf(first), sensitive }
  if (tag === tags.list) return { kind: 'list', sensitive, of: shapeOf(first) }
  if (tag === tags.map) return { kind: 'map', sensitive, key: shapeOf(first), of: shapeOf(second) }
  if (tag === tags.structure) return { kind: 'structure', sensitive, members: membersOf(shape) }
  throw new Error(`The SDK has a new kind of schema, ${tag}`)
}

/** A schema as it is written, or with traits of its own: `[schema, traits]`. */
function split(schema: Schema): [Schema, unknown] {
  return Array.isArray(schema) && schema.length === 2 ? (schema as unknown as [Schema, unknown]) : [schema, 0]
}

function resolve(schema: Schema): number | readonly unknown[] {
  return typeof schema === 'function' ? resolve(schema()) : schema
}
