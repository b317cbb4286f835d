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

/** A constraint that the input does not satisfy. */
export interface Violation {
  /** Where, as AWS writes it: `processors.1.member.name`. */
  name: string
  /** The same without what the caller chose: it ends before the first name in a map. For the log. */
  knownName: string
  constraint: string
}

/** Where in the input a failure is. */
interface Place {
  name: string
  knownName: string
  /** Below a name that the caller chose. */
  isInMap: boolean
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
export function describeViolations(violations: readonly Violation[]): string {
  const texts = new Set(
    violations.map(({ name, constraint }) => `Value at '${name}' failed to satisfy constraint: ${constraint}`),
  )
  return `${texts.size} validation ${texts.size === 1 ? 'error' : 'errors'} detected: ${[...texts].join('; ')}`
}

export function violationsOf(validator: Validator, input: unknown): Violation[] {
  const root: Place = { name: '', knownName: '', isInMap: false, schema: validator.Type(), value: input }
  return (validator.Errors(input) as Failure[]).flatMap((failure) => describe(failure, root))
}

function describe(failure: Failure, root: Place): Violation[] {
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

const violation = ({ name, knownName }: Place, constraint: string): Violation => ({ name, knownName, constraint })

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
function stepInto(place: Place, part: string): Place {
  const { name, schema, value } = place
  const inner = (value as Record<string, unknown> | null | undefined)?.[part]
  if (schema?.items) return known(place, `${name}.${Number(part) + 1}.member`, schema.items, inner)
  if (schema?.properties) {
    const member = part.charAt(0).toLowerCase() + part.slice(1)
    return known(place, name ? `${name}.${member}` : member, schema.properties[part], inner)
  }
  return {
    ...place,
    name: `${name}.${part.slice(0, mapNameLengthMax)}.member`,
    isInMap: true,
    schema: schema?.additionalProperties,
    value: inner,
  }
}

function known({ knownName, isInMap }: Place, name: string, schema: Place['schema'], value: unknown): Place {
  return { name, knownName: isInMap ? knownName : name, isInMap, schema, value }
}
