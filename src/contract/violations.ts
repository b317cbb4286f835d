import type { Validator } from 'typebox/compile'
import { Settings } from 'typebox/system'

/** More violations than this are not listed in one message. */
const violationsMax = 50
Settings.Set({ maxErrors: violationsMax })

/** One failed constraint as TypeBox reports it; the parameters depend on the keyword. */
interface Failure {
  keyword: string
  instancePath: string
  params: object
}

/**
 * Every violated constraint in one message, in the wording of AWS's services:
 * "1 validation error detected: Value at 'name' failed to satisfy constraint: Member must have length …".
 */
export function describeViolations(validator: Validator, input: unknown): string {
  const violations = (validator.Errors(input) as Failure[]).flatMap(describe)
  const noun = violations.length === 1 ? 'error' : 'errors'
  return `${violations.length} validation ${noun} detected: ${violations.join('; ')}`
}

function describe(failure: Failure): string[] {
  if (failure.keyword === 'required') {
    const { requiredProperties } = failure.params as { requiredProperties: string[] }
    return requiredProperties.map((member) => violation(`${failure.instancePath}/${member}`, 'Member must not be null'))
  }
  // The names that broke their shape are reported one by one; this is only their sum.
  if (failure.keyword === 'propertyNames') return []
  return [violation(failure.instancePath, constraint(failure))]
}

const violation = (path: string, text: string) => `Value at '${memberName(path)}' failed to satisfy constraint: ${text}`

function constraint({ keyword, params }: Failure): string {
  const { limit, pattern, allowedValues, type } = params as {
    limit?: number
    pattern?: string
    allowedValues?: string[]
    type?: string
  }
  switch (keyword) {
    case 'minLength':
    case 'minItems':
      return `Member must have length greater than or equal to ${limit}`
    case 'maxLength':
    case 'maxItems':
      return `Member must have length less than or equal to ${limit}`
    case 'minimum':
      return `Member must have value greater than or equal to ${limit}`
    case 'maximum':
      return `Member must have value less than or equal to ${limit}`
    case 'pattern':
      return `Member must satisfy regular expression pattern: ${pattern}`
    case 'enum':
      return `Member must satisfy enum value set: [${allowedValues?.join(', ')}]`
    default:
      return `Member must have value of type ${type}`
  }
}

/** `/Processors/0/Name` as AWS writes it: `processors.1.member.name`. */
function memberName(instancePath: string): string {
  return instancePath
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .map((part) => (/^\d+$/.test(part) ? `${Number(part) + 1}.member` : part.charAt(0).toLowerCase() + part.slice(1)))
    .join('.')
}
