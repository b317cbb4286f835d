import type { TSchema } from 'typebox'
import type { Validator } from 'typebox/compile'
import { Settings } from 'typebox/system'

/** More violations than this are not listed in one message. */
const violationsMax = 50
Settings.Set({ maxErrors: violationsMax })

/** A caller chooses the names in a map, so a message shows only as much of them as the longest good one has. */
const mapNameLengthMax = 64

/** One failed constraint as TypeBox reports it; the parameters depend on the keyword. */
interface Failure {
  keyword: string
  schemaPath: string
  instancePath: string
  params: { limit?: number; pattern?: string; allowedValues?: string[]; type?: string; requiredProperties?: string[] }
}

/** Where in the input a failure is. */
interface Place {
  /** As AWS writes it: `processors.1.member.name`. */
  name: string
  schema: Keywords | undefined
  value: unknown
}

interface Keywords {
  properties?: Record<string, TSchema>
  items?: TSchema
  additionalProperties?: TSchema
  timestamp?: boolean
}

/** These only sum up failures that are reported one by one. */
const sums = ['propertyNames', 'additionalProperties']

/**
 * Every violated constraint in one message, in the wording of AWS's services:
 * "1 validation error detected: Value at 'name' failed to satisfy constraint: Member must have length …".
 */
export function describeViolations(validator: Validator, input: unknown): string {
  const root: Place = { name: '', schema: validator.Type(), value: input }
  const violations = new Set((validator.Errors(input) as Failure[]).flatMap((failure) => describe(failure, root)))
  const noun = violations.size === 1 ? 'error' : 'errors'
  return `${violations.size} validation ${noun} detected: ${[...violations].join('; ')}`
}

function describe(failure: Failure, root: Place): string[] {
  if (sums.includes(failure.keyword)) return []
  const path = failure.instancePath.split('/').slice(1).map(unescapePointer)
  if (failure.keyword === 'required') {
    const place = path.reduce(stepInto, root)
    return failure.params.requiredProperties!.map((member) =>
      violation(stepInto(place, member), 'Member must not be null'),
    )
  }
  if (failure.schemaPath.endsWith('/propertyNames')) {
    const map = path.slice(0, -1).reduce(stepInto, root)
    return [violation(map, `Map keys must satisfy constraint: [${constraint(failure)}]`)]
  }
  const place = path.reduce(stepInto, root)
  return [violation(place, place.value === null ? 'Member must not be null' : constraint(failure, place))]
}

const violation = ({ name }: Place, text: string) => `Value at '${name}' failed to satisfy constraint: ${text}`

function constraint({ keyword, params }: Failure, place?: Place): string {
  switch (keyword) {
    case 'minLength':
    case 'minItems':
      return `Member must have length greater than or equal to ${params.limit}`
    case 'maxLength':
    case 'maxItems':
      return `Member must have length less than or equal to ${params.limit}`
    case 'minimum':
      return `Member must have value greater than or equal to ${params.limit}`
    case 'maximum':
      return `Member must have value less than or equal to ${params.limit}`
    case 'pattern':
      return `Member must satisfy regular expression pattern: ${params.pattern}`
    case 'enum':
      return `Member must satisfy enum value set: [${params.allowedValues?.join(', ')}]`
    default:
      return `Member must have value of type ${place?.schema?.timestamp ? 'timestamp' : params.type}`
  }
}

const unescapePointer = (part: string) => part.replaceAll('~1', '/').replaceAll('~0', '~')

/** Only the schema tells a structure from a map, and so a member from a name that the caller chose. */
function stepInto({ name, schema, value }: Place, part: string): Place {
  const inner = (value as Record<string, unknown> | null | undefined)?.[part]
  if (schema?.items) return { name: `${name}.${Number(part) + 1}.member`, schema: schema.items, value: inner }
  if (schema?.properties) {
    const member = part.charAt(0).toLowerCase() + part.slice(1)
    return { name: name ? `${name}.${member}` : member, schema: schema.properties[part], value: inner }
  }
  return {
    name: `${name}.${part.slice(0, mapNameLengthMax)}.member`,
    schema: schema?.additionalProperties,
    value: inner,
  }
}
