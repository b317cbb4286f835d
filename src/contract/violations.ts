import type { TSchema } from 'typebox'
import type { Validator } from 'typebox/compile'
import { Settings } from 'typebox/system'

/** More violations than this are not listed in one message. */
const violationsMax = 50
Settings.Set({ maxErrors: violationsMax })

/** A caller chooses the names in a map, so a message shows only as much of them as the longest valid one has. */
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
  /** The member as AWS writes it: `processors.1.member.name`. */
  name: string
  /** The name without parts that the caller chose: it ends before the first name in a map. For the log. */
  knownName: string
  constraint: string
}

/** The position of a failure in the input. */
interface Position {
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

/** These only summarise failures that are also reported one by one. */
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
  const root: Position = { name: '', knownName: '', isInMap: false, schema: validator.Type(), value: input }
  return (validator.Errors(input) as Failure[]).flatMap((failure) => describe(failure, root))
}

function describe(failure: Failure, root: Position): Violation[] {
  if (sums.includes(failure.keyword)) return []
  const path = failure.instancePath.split('/').slice(1).map(unescapePointer)
  if (failure.keyword === 'required') {
    const position = path.reduce(stepInto, root)
    return failure.params.requiredProperties!.map((member) =>
      violation(stepInto(position, member), 'Member must not be null'),
    )
  }
  if (failure.schemaPath.endsWith('/propertyNames')) {
    const map = path.slice(0, -1).reduce(stepInto, root)
    return [violation(map, `Map keys must satisfy constraint: [${constraint(failure)}]`)]
  }
  const position = path.reduce(stepInto, root)
  return [violation(position, position.value === null ? 'Member must not be null' : constraint(failure, position))]
}

const violation = ({ name, knownName }: Position, constraint: string): Violation => ({ name, knownName, constraint })

function constraint({ keyword, params }: Failure, position?: Position): string {
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
      return `Member must have value of type ${position?.schema?.timestamp ? 'timestamp' : params.type}`
  }
}

const unescapePointer = (part: string) => part.replaceAll('~1', '/').replaceAll('~0', '~')

/** Only the schema distinguishes a structure from a map, and so a member from a name that the caller chose. */
function stepInto(position: Position, part: string): Position {
  const { name, schema, value } = position
  const inner = (value as Record<string, unknown> | null | undefined)?.[part]
  if (schema?.items) return known(position, `${name}.${Number(part) + 1}.member`, schema.items, inner)
  if (schema?.properties) {
    const member = part.charAt(0).toLowerCase() + part.slice(1)
    return known(position, name ? `${name}.${member}` : member, schema.properties[part], inner)
  }
  return {
    ...position,
    name: `${name}.${part.slice(0, mapNameLengthMax)}.member`,
    isInMap: true,
    schema: schema?.additionalProperties,
    value: inner,
  }
}

function known({ knownName, isInMap }: Position, name: string, schema: Position['schema'], value: unknown): Position {
  return { name, knownName: isInMap ? knownName : name, isInMap, schema, value }
}
