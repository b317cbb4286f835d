import { ConfigError } from '../config.ts'
import { parseArn } from '../contract/arn.ts'
import { createGrant, type Grant, InvalidGrant, type OperatorRole, operatorRoles } from '../keys/grant.ts'
import { readDuration } from './duration.ts'
import { takeFlags } from './own-flags.ts'

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
const nameLengthMax = 256

const isUser = (arn: string) => ['user', 'bot'].includes(parseArn(arn)?.kind ?? '')

/** Throws a ConfigError that names everything that is wrong. `takes`: what the action needs as its first argument. */
export function readKeyArguments(
  action: string,
  args: string[],
  takes: 'key' | 'key or user' | undefined,
  nowMs: number,
): KeyArguments {
  const rest = [...args]
  const id = takes ? (rest.shift() ?? '') : ''
  if (takes && !idPattern.test(id) && !(takes === 'key or user' && isUser(id))) {
    const orUser = takes === 'key or user' ? ', or the ARN of an AppInstanceUser' : ''
    throw new ConfigError([`npx carillon keys ${action} needs a key ID, 16 to 128 letters and digits${orUser}`])
  }
  if (action !== 'create') return { id, others: rest }
  const { flags, others } = takeFlags(rest.flatMap(splitInline), known)
  const { '--name': name, '--expires': expires } = flags
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

const known = {
  '--user': 'value',
  '--callback': 'value',
  '--operator': 'perhaps a value',
  '--role': 'value',
  '--directory': 'no value',
  '--expires': 'value',
  '--name': 'value',
} as const

type Flags = Partial<Record<keyof typeof known, string>>

/** `--name=TEXT` as two arguments. */
const splitInline = (arg: string): string[] =>
  /^--[\w-]+=/.test(arg) ? [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)] : [arg]

const kinds = { '--user': 'user', '--callback': 'callback', '--operator': 'operator' } as const
const kindFlags = Object.keys(kinds) as (keyof typeof kinds)[]

function grantOf(flags: Flags): KeyArguments['grant'] {
  const given = kindFlags.filter((flag) => flags[flag] !== undefined)
  const [flag] = given
  if (!flag) return undefined
  if (given.length > 1) throw new ConfigError([`a key has one kind: ${given.join(' or ')}`])
  const role = flags['--role']
  if (role !== undefined && !isRole(role)) throw new ConfigError([`--role must be ${operatorRoles.join(', ')}`])
  try {
    const directory = flags['--directory'] === undefined ? undefined : true
    return createGrant({ kind: kinds[flag], subjectArn: flags[flag] || undefined, role, directory })
  } catch (error) {
    throw error instanceof InvalidGrant ? new ConfigError([error.message]) : error
  }
}

const isRole = (text: string): text is OperatorRole => (operatorRoles as readonly string[]).includes(text)

function durationMs(text: string): number {
  const ms = readDuration(text, ['m', 'h', 'd'])
  if (!ms) throw new ConfigError(['--expires must be a number with m, h or d, such as 30d'])
  return ms
}
