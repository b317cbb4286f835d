import { ConfigError } from '../config.ts'
import { createGrant, type Grant, InvalidGrant, type OperatorRole, operatorRoles } from '../keys/grant.ts'

/** The arguments of `carillon keys`. */
export interface KeyArguments {
  /** A key ID, or a user's ARN; empty if the action takes none. */
  id: string
  grant?: Exclude<Grant, { kind: 'function' }>
  name?: string
  expiresAtMs?: number
  /** Settings, such as --data-dir. */
  others: string[]
}

const idPattern = /^\w{16,128}$/
const userPattern = /^arn:aws:chime:[^:]*:[^:]*:app-instance\/[^/]+\/(?:user|bot)\/[^/]+$/
const durationPattern = /^(\d{1,6})([mhd])$/
const unitMs = { m: 60_000, h: 3_600_000, d: 86_400_000 }
const nameLengthMax = 256

/** Throws a ConfigError that names everything that is wrong. `takes`: what the action needs as its first argument. */
export function readKeyArguments(
  action: string,
  args: string[],
  takes: 'key' | 'key or user' | undefined,
  nowMs: number,
): KeyArguments {
  const rest = [...args]
  const id = takes ? (rest.shift() ?? '') : ''
  if (takes && !idPattern.test(id) && !(takes === 'key or user' && userPattern.test(id))) {
    const orUser = takes === 'key or user' ? ', or the ARN of an AppInstanceUser' : ''
    throw new ConfigError([`npx carillon keys ${action} needs a key ID, 16 to 128 letters and digits${orUser}`])
  }
  if (action !== 'create') return { id, others: rest }
  const { flags, others } = splitFlags(rest)
  const name = flags.get('--name')
  const expires = flags.get('--expires')
  if (name !== undefined && (name === '' || name.length > nameLengthMax)) {
    throw new ConfigError([`--name must be a text of 1 to ${nameLengthMax} characters`])
  }
  const grant = grantOf(flags)
  return {
    id,
    others,
    ...(grant && { grant }),
    ...(name !== undefined && { name }),
    ...(expires !== undefined && { expiresAtMs: nowMs + durationMs(expires) }),
  }
}

/** Flags of `keys create`; true if they take a value, or may take one. */
const known = new Map<string, 'value' | 'perhaps a value' | 'no value'>([
  ['--user', 'value'],
  ['--callback', 'value'],
  ['--operator', 'perhaps a value'],
  ['--role', 'value'],
  ['--directory', 'no value'],
  ['--expires', 'value'],
  ['--name', 'value'],
])

function splitFlags(args: string[]): { flags: Map<string, string>; others: string[] } {
  const flags = new Map<string, string>()
  const others: string[] = []
  const rest = args.flatMap((arg) => (/^--[\w-]+=/.test(arg) ? splitOnce(arg) : [arg]))
  while (rest.length > 0) {
    const flag = rest.shift()!
    const form = known.get(flag)
    const next = rest[0]
    const hasValue = next !== undefined && !next.startsWith('--')
    if (form === 'value' && !hasValue) throw new ConfigError([`${flag} needs a value`])
    if (form === undefined) others.push(flag)
    else flags.set(flag, form !== 'no value' && hasValue ? rest.shift()! : '')
  }
  return { flags, others }
}

const splitOnce = (arg: string) => [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)]

const kinds = { '--user': 'user', '--callback': 'callback', '--operator': 'operator' } as const

function grantOf(flags: Map<string, string>): KeyArguments['grant'] {
  const given = Object.entries(kinds).filter(([flag]) => flags.has(flag))
  const [first] = given
  if (!first) return undefined
  if (given.length > 1) throw new ConfigError([`a key has one kind: ${given.map(([flag]) => flag).join(' or ')}`])
  const [flag, kind] = first
  const role = flags.get('--role')
  if (role !== undefined && !isRole(role)) throw new ConfigError([`--role must be ${operatorRoles.join(', ')}`])
  try {
    const subjectArn = flags.get(flag) || undefined
    return createGrant({ kind, subjectArn, role, directory: flags.has('--directory') || undefined })
  } catch (error) {
    throw error instanceof InvalidGrant ? new ConfigError([error.message]) : error
  }
}

const isRole = (text: string): text is OperatorRole => (operatorRoles as readonly string[]).includes(text)

function durationMs(text: string): number {
  const [, count, unit] = durationPattern.exec(text) ?? []
  if (!count || !unit || Number(count) === 0) {
    throw new ConfigError(['--expires must be a number with m, h or d, such as 30d'])
  }
  return Number(count) * unitMs[unit as keyof typeof unitMs]
}
