import type { IncomingHttpHeaders } from 'node:http'
import type { TSchema } from 'typebox'
import { badRequest } from '../contract/api-error.ts'
import { bindingOf } from '../contract/binding.ts'
import type { Operation } from '../contract/operation.ts'
import { parseJson } from './parse-json.ts'
import { decodePercent, type Query } from './query.ts'

/** The parts of a request that carry the members of an input. */
export interface RequestParts {
  labels: readonly string[]
  query: Query
  headers: IncomingHttpHeaders
  body: Buffer
}

/**
 * Collects the members of an input. The result is not validated: a member may be missing or of the wrong type.
 * The result has no other members than the schema, at any depth, and JSON's null is left out like an absent member.
 * Throws BadRequest if members cannot be read at all: a malformed escape, a body that is not a JSON object.
 */
export type ReadInput = (parts: RequestParts) => object

/** Reads one member; `body` is the JSON object of the body. */
type ReadMember = (parts: RequestParts, body: Members) => unknown

type Members = Record<string, unknown>

const noMembers: Members = {}

/**
 * Prepares the reader once for each operation. Throws if the labels of the path and the members of the input do not
 * match.
 */
export function createInputReader({
  name,
  pathTemplate,
  input,
}: Pick<Operation<never>, 'name' | 'pathTemplate' | 'input'>): ReadInput {
  const labels = [...pathTemplate.matchAll(/\{(\w+)\}/g)].map(([, label]) => label!)
  const bound = Object.keys(input.properties).filter((member) => bindingOf(input.properties[member]!)?.in === 'path')
  if (bound.sort().join() !== [...labels].sort().join()) {
    throw new Error(`${name}: the labels of ${pathTemplate} are not the members bound to the path: ${bound.join(', ')}`)
  }
  const members = Object.entries(input.properties).map(([member, schema]): [string, ReadMember] => [
    member,
    readMember(member, schema, labels),
  ])
  const hasBody = Object.values(input.properties).some((schema) => !bindingOf(schema))
  return (parts) => {
    // Without body members the body is ignored: old clients send one.
    const body = hasBody ? readBody(parts.body) : noMembers
    const values: Members = {}
    for (const [member, read] of members) {
      const value = read(parts, body)
      if (value !== undefined) values[member] = value
    }
    return values
  }
}

function readBody(body: Buffer): Members {
  if (body.length === 0) return noMembers
  const json = parseJson(body)
  if (!isObject(json)) throw badRequest('The request body must be a JSON object')
  return json
}

function readMember(member: string, schema: TSchema, labels: string[]): ReadMember {
  const binding = bindingOf(schema)
  switch (binding?.in) {
    case 'path':
      return readLabel(member, labels.indexOf(member))
    case 'query':
      return readQuery(binding.name, coercion(schema))
    case 'header':
      return ({ headers }) => headers[binding.name]
    default: {
      const tidy = tidyBy(schema)
      return (_, body) => tidy(body[member]) ?? undefined
    }
  }
}

function readLabel(member: string, index: number): ReadMember {
  return ({ labels }) => {
    const value = decodePercent(labels[index]!)
    if (value === undefined) throw badRequest(`The path has a malformed percent-encoding in ${member}`)
    return value
  }
}

/** A signature does not cover the order of a key's values, so there is no first one to choose. */
function readQuery(name: string, coerce: (text: string) => unknown): ReadMember {
  return ({ query }) => {
    const values = query.get(name)
    if (!values) return undefined
    if (values.length > 1) throw badRequest(`The query has ${name} more than once`)
    const value = decodePercent(values[0]!)
    if (value === undefined) throw badRequest(`The query has a malformed percent-encoding in ${name}`)
    return coerce(value)
  }
}

/** A text that cannot be converted stays a text: the validator then rejects it with the member's name. */
function coercion(schema: TSchema): (text: string) => unknown {
  const { type, timestamp } = schema as { type?: string; timestamp?: boolean }
  if (timestamp) return readTimestamp
  if (type === 'integer') return (text) => (/^-?\d+$/.test(text) ? Number(text) : text)
  return (text) => text
}

const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/

/** ISO 8601 or seconds since the epoch, as seconds since the epoch. */
function readTimestamp(text: string): number | string {
  if (/^-?\d+(?:\.\d+)?$/.test(text)) return Number(text)
  const atMs = dateTime.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(atMs) ? text : atMs / 1000
}

interface Keywords {
  properties?: Record<string, TSchema>
  items?: TSchema
  additionalProperties?: TSchema
}

/**
 * Copies a value with only the members of the schema, without nulls. A null in a list or a map stays, because no item
 * or value is optional, and so does a value of the wrong type: the validator rejects both.
 */
function tidyBy(schema: TSchema): (value: unknown) => unknown {
  const { properties, items, additionalProperties } = schema as Keywords
  if (properties) return tidyStructure(properties)
  if (items) {
    const tidy = tidyBy(items)
    return (value) => (Array.isArray(value) ? value.map(tidy) : value)
  }
  if (additionalProperties) {
    const tidy = tidyBy(additionalProperties)
    // Unlike an assignment, Object.fromEntries creates a member for a name such as __proto__.
    return (value) =>
      isObject(value) ? Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, tidy(inner)])) : value
  }
  return (value) => value
}

function tidyStructure(properties: Record<string, TSchema>): (value: unknown) => unknown {
  const members = Object.entries(properties).map(([member, schema]) => [member, tidyBy(schema)] as const)
  return (value) => {
    if (!isObject(value)) return value
    const values: Members = {}
    for (const [member, tidy] of members) {
      const inner = tidy(value[member])
      if (inner !== undefined && inner !== null) values[member] = inner
    }
    return values
  }
}

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
