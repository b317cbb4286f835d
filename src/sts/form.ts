import Type, { type Static, type TSchema } from 'typebox'
import { Compile, type Validator } from 'typebox/compile'
import { describeViolations, violationsOf } from '../contract/violations.ts'
import { validationError } from './sts-error.ts'

/** The fields of a call in AWS's query protocol: `Tags.member.1.Key=UserUUID`. */
export type Form = ReadonlyMap<string, string>

/** Throws a validation error if a field is there twice: two readers could take two values. */
export function readForm(body: Uint8Array): Form {
  const form = new Map<string, string>()
  for (const [name, value] of new URLSearchParams(Buffer.from(body).toString())) {
    if (form.has(name)) throw validationError('A parameter must be there once')
    // As an SDK writes an empty list.
    if (value !== '') form.set(name, value)
  }
  return form
}

/** The members that actions share. */
export const RoleArn = Type.String({ minLength: 20, maxLength: 2048 })
export const RoleSessionName = Type.String({ minLength: 2, maxLength: 64, pattern: '^[\\w+=,.@-]*$' })
export const DurationSeconds = Type.Optional(Type.Integer({ minimum: 900, maximum: 43_200 }))

/** The members of a call, by their schema. Each is a text or a whole number. */
export class Parameters<Schema extends TSchema> {
  readonly #validator: Validator
  readonly #numbers: ReadonlySet<string>

  constructor(schema: Schema) {
    this.#validator = Compile(schema)
    const members = (schema as unknown as { properties: Record<string, { type?: string }> }).properties
    this.#numbers = new Set(Object.keys(members).filter((name) => members[name]?.type === 'integer'))
  }

  /** Throws a validation error, in the wording of AWS's services, that names every member that is not valid. */
  read(form: Form): Static<Schema> {
    const entries = [...form].map(([name, text]) => [name, this.#numbers.has(name) ? numberOf(text) : text] as const)
    const values = Object.fromEntries(entries)
    if (!this.#validator.Check(values)) throw validationError(describeViolations(violationsOf(this.#validator, values)))
    return values as Static<Schema>
  }
}

const numberOf = (text: string) => (/^\d{1,9}$/.test(text) ? Number(text) : text)

/** Parameters that would narrow the key or prove more about its holder. To ignore them would be wrong. */
const unsupported = [
  'Policy',
  'PolicyArns',
  'ProviderId',
  'ProvidedContexts',
  'SerialNumber',
  'SourceIdentity',
  'TokenCode',
]

/** Throws a validation error if the call has a parameter that this server does not implement. */
export function rejectUnsupported(form: Form): void {
  const given = [...form.keys()].find((name) => unsupported.includes(name.split('.')[0] ?? ''))
  if (given !== undefined) throw validationError(`${given.split('.')[0]} is not supported by this server: leave it out`)
}

/** AWS's maximum for Tags. */
const tagsMax = 50

/** The value of the session tag, or undefined. */
export function sessionTag(form: Form, key: string): string | undefined {
  const keys = [...form.keys()].filter((name) => /^Tags\.member\.\d+\.Key$/.test(name))
  if (keys.length > tagsMax) throw validationError(`Tags has more than ${tagsMax} members`)
  const named = keys.filter((name) => form.get(name) === key)
  if (named.length > 1) throw validationError(`The session tag ${key} must be there once`)
  return named[0] && form.get(named[0].replace(/Key$/, 'Value'))
}
