import assert from 'node:assert/strict'
import type { TObject, TSchema } from 'typebox'
import { bindingOf } from '../../src/contract/binding.ts'
import type { Operation } from '../../src/contract/operation.ts'
import { functionArn } from './population.ts'

/** Decides what a generated input contains. */
export interface Choices {
  /** The value of the member with this name, at any depth, or undefined: then its schema decides. */
  valueOf(member: string): string | undefined
  /** Whether an optional member is there. */
  has(member: string): boolean
  /** An index below the number. */
  pick(count: number): number
}

interface Keywords {
  type?: string
  enum?: unknown[]
  pattern?: string
  minLength?: number
  minimum?: number
  minItems?: number
  items?: TSchema
  properties?: Record<string, TSchema>
  required?: string[]
  additionalProperties?: unknown
}

/** An input that the operation's validator accepts, unless a chosen value is of another form. */
export function validInput(operation: Pick<Operation<never>, 'input'>, choices: Choices): Record<string, unknown> {
  return valueFor('', operation.input, choices) as Record<string, unknown>
}

function valueFor(member: string, schema: TSchema, choices: Choices): unknown {
  const { type, minItems = 0, minimum = 0, items, properties, required = [], ...rest } = schema as Keywords
  if (rest.enum) return rest.enum[choices.pick(rest.enum.length)]
  if (type === 'string') return choices.valueOf(member) ?? textFor(rest)
  if (type === 'integer' || type === 'number') return minimum
  if (type === 'boolean') return choices.pick(2) === 1
  if (items) return Array.from({ length: Math.max(1, minItems) }, () => valueFor(member, items, choices))
  if (properties) {
    const members = Object.entries(properties).filter(([name]) => required.includes(name) || choices.has(name))
    return Object.fromEntries(members.map(([name, inner]) => [name, valueFor(name, inner, choices)]))
  }
  assert.ok(rest.additionalProperties, `no value is known for the schema of ${member}`)
  return {}
}

/** The texts that patterns ask for. */
const texts = ['text-1', functionArn('first'), 'arn:aws:chime:us-east-1:111122223333:app-instance/none', 'x'.repeat(32)]

function textFor({ pattern = '', minLength = 0 }: Keywords): string {
  const form = new RegExp(pattern, 'u')
  return texts.find((text) => text.length >= minLength && form.test(text)) ?? assert.fail(`no text is like ${pattern}`)
}

/** A call as `TestServer.call` takes it. */
export interface WireCall {
  method: string
  target: string
  bearer?: string
  body?: object
}

type Routed = Pick<Operation<never>, 'method' | 'pathTemplate' | 'literal'> & { input: TObject }

/** Puts the members of an input where the operation's bindings say. */
export function wireCallOf({ method, pathTemplate, literal, input: schema }: Routed, input: object): WireCall {
  let path = pathTemplate
  const query = literal ? [[literal.key, literal.value]] : []
  const body: Record<string, unknown> = {}
  let bearer: string | undefined
  for (const [member, value] of Object.entries(input)) {
    const binding = bindingOf(schema.properties[member]!)
    if (binding?.in === 'path') path = path.replace(`{${member}}`, encode(String(value)))
    else if (binding?.in === 'query') query.push([binding.name, String(value)])
    else if (binding?.in === 'header') bearer = String(value)
    else body[member] = value
  }
  const parameters = query.map(([name, value]) => `${encode(name!)}=${encode(value!)}`).join('&')
  return {
    method,
    target: parameters ? `${path}?${parameters}` : path,
    ...(bearer !== undefined && { bearer }),
    ...(method !== 'GET' && method !== 'DELETE' && { body }),
  }
}

/** As SigV4 encodes: more than encodeURIComponent. */
const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
