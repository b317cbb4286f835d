import type { TSchema } from 'typebox'
import { bindingOf } from '../../src/contract/binding.ts'
import type { Operation } from '../../src/contract/operation.ts'

/** What an operation looks like on the wire, in a form that our declarations and the SDK's schemas can both take. */
export interface WireOperation {
  method: string
  /** Path template and literal query. */
  target: string
  status: number
  input: Members
  output: Members
}

export type Members = Record<string, Member>

export interface Shape {
  kind: string
  sensitive: boolean
  /** Of a list or a map. */
  of?: Shape
  key?: Shape
  members?: Members
}

export interface Member extends Shape {
  /** `path`, `query max-results`, `header x-amz-chime-bearer` or `body`. */
  travels: string
  idempotencyToken: boolean
  /** Idempotency tokens are not: the SDK fills them in. */
  required: boolean
}

/** The keywords of our schemas. */
export interface Keywords {
  type?: string
  minLength?: number
  maxLength?: number
  pattern?: string
  minimum?: number
  maximum?: number
  minItems?: number
  maxItems?: number
  enum?: string[]
  sensitive?: boolean
  timestamp?: boolean
  idempotencyToken?: boolean
  required?: string[]
  properties?: Record<string, TSchema>
  items?: TSchema
  propertyNames?: TSchema
  additionalProperties?: TSchema
}

export const wireForm = ({
  method,
  pathTemplate,
  literal,
  status,
  input,
  output,
}: Operation<never>): WireOperation => ({
  method,
  target: literal ? `${pathTemplate}?${literal.key}=${literal.value}` : pathTemplate,
  status,
  input: membersOf(input),
  output: membersOf(output),
})

export function membersOf(structure: TSchema): Members {
  const { properties = {}, required = [] } = structure as Keywords
  return Object.fromEntries(
    Object.entries(properties).map(([name, schema]) => [name, memberOf(schema, required.includes(name))]),
  )
}

function memberOf(schema: TSchema, required: boolean): Member {
  const binding = bindingOf(schema)
  const { idempotencyToken = false } = schema as Keywords
  return {
    ...shapeOf(schema),
    travels: !binding ? 'body' : binding.in === 'path' ? 'path' : `${binding.in} ${binding.name}`,
    idempotencyToken,
    required: required && !idempotencyToken,
  }
}

function shapeOf(schema: TSchema): Shape {
  const { type, enum: values, sensitive = false, timestamp, ...keywords } = schema as Keywords
  if (timestamp) return { kind: 'timestamp', sensitive }
  if (values) return { kind: 'string', sensitive }
  if (keywords.properties) return { kind: 'structure', sensitive, members: membersOf(schema) }
  if (keywords.items) return { kind: 'list', sensitive, of: shapeOf(keywords.items) }
  if (keywords.propertyNames && keywords.additionalProperties) {
    return { kind: 'map', sensitive, key: shapeOf(keywords.propertyNames), of: shapeOf(keywords.additionalProperties) }
  }
  return { kind: type === 'integer' ? 'number' : String(type), sensitive }
}
