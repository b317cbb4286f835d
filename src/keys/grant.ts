import { parseArn } from '../contract/arn.ts'

/** What an operator's key is for: everything, decisions about held messages, or reading. */
export type OperatorRole = (typeof operatorRoles)[number]
export const operatorRoles = ['operator', 'reviewer', 'viewer'] as const

/** What the holder of a key may do, and on whose behalf. `may` (may.ts) has the rules. */
export type Grant =
  /** `appInstanceArn`: nothing outside this AppInstance; undefined for the whole server, as for the root key. */
  | { kind: 'operator'; role: OperatorRole; appInstanceArn?: string | undefined }
  /** One AppInstanceUser or bot. `directory`: it also reads the users and flows of its AppInstance. */
  | { kind: 'user'; userArn: string; directory: boolean }
  /** Processors outside this server. `subjectArn`: the AppInstance, or the one flow, whose messages it decides. */
  | { kind: 'callback'; subjectArn: string }
  /** A function of this server. `actAs`: the ids of the AppInstanceUsers on whose behalf it may call. */
  | { kind: 'function'; functionName: string; actAs: readonly string[] }

/** The grant of a key with a row, or of a temporary one. */
export type KeptGrant = Exclude<Grant, { kind: 'function' }>

export const rootGrant: Grant = { kind: 'operator', role: 'operator' }

/** What the grant is about: an ARN, or a function's name. Undefined for an operator of the whole server. */
export function subjectOf(grant: Grant): string | undefined {
  switch (grant.kind) {
    case 'operator':
      return grant.appInstanceArn
    case 'user':
      return grant.userArn
    case 'callback':
      return grant.subjectArn
    case 'function':
      return grant.functionName
  }
}

/** A description of a key that cannot exist. */
export class InvalidGrant extends Error {}

/** What is asked for when a key is created. */
export interface GrantParameters {
  kind: 'operator' | 'user' | 'callback'
  subjectArn?: string | undefined
  role?: OperatorRole | undefined
  directory?: boolean | undefined
}

/** Throws an InvalidGrant if the parts do not belong together. */
export function createGrant({ kind, subjectArn, role, directory }: GrantParameters): KeptGrant {
  if (kind !== 'operator' && role !== undefined) throw new InvalidGrant('only the key of an operator has a role')
  if (kind !== 'user' && directory !== undefined) throw new InvalidGrant('only the key of a user has a directory')
  const subject = subjectArn === undefined ? undefined : parseArn(subjectArn)?.kind
  if (kind === 'operator') {
    if (subjectArn !== undefined && subject !== 'app-instance') {
      throw new InvalidGrant('an operator is one of the whole server or of one AppInstance: the ARN must name that')
    }
    return { kind, role: role ?? 'operator', appInstanceArn: subjectArn }
  }
  if (kind === 'user') {
    if (subjectArn === undefined || (subject !== 'user' && subject !== 'bot')) {
      throw new InvalidGrant('the key of a user needs the ARN of an AppInstanceUser')
    }
    return { kind, userArn: subjectArn, directory: directory ?? false }
  }
  if (subjectArn === undefined || (subject !== 'app-instance' && subject !== 'channel-flow')) {
    throw new InvalidGrant('a key for callbacks needs the ARN of an AppInstance or a channel flow')
  }
  return { kind, subjectArn }
}
