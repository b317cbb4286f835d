import { appInstanceUserArn, parseArn } from '../contract/arn.ts'
import { createGrant, InvalidGrant, type KeptGrant, type OperatorRole, operatorRoles } from '../keys/grant.ts'

/** A kind of key, under the name by which callers ask for it. */
export interface Role {
  /** The last part of a RoleArn. */
  name: string
  kind: OperatorRole | 'user' | 'callback'
  /** Whether a user's key also reads the users and flows of its AppInstance. */
  directory: boolean
  /** The AppInstance, or the flow of a callback key. Undefined: a user of any AppInstance, an operator of all. */
  subjectArn: string | undefined
}

/** A description of a role: `chat=user:arn:aws:chime:…`. */
const rolePattern = /^([\w+.@-]{1,64})=(\w+)(\+directory)?(?::(arn:\S+))?$/

/** Reads the setting: descriptions with commas between them. Undefined if one is not valid or a name is there twice. */
export function readRoles(text: string): Role[] | undefined {
  const roles = text.split(',').map((description) => readRole(description.trim()))
  const valid = roles.filter((role) => role !== undefined)
  const names = new Set(valid.map(({ name }) => name))
  return names.size === roles.length ? valid : undefined
}

function readRole(description: string): Role | undefined {
  const [, name, kind, directory, subjectArn] = rolePattern.exec(description) ?? []
  if (name === undefined || kind === undefined) return undefined
  const role = { name, kind: kind as Role['kind'], directory: directory !== undefined, subjectArn }
  return isRole(role) ? role : undefined
}

function isRole(role: Role): boolean {
  const { kind, directory, subjectArn } = role
  if (kind === 'user') return subjectArn === undefined || parseArn(subjectArn)?.kind === 'app-instance'
  const kinds: readonly string[] = [...operatorRoles, 'callback']
  return kinds.includes(kind) && !directory && grantOf(role, undefined) !== undefined
}

/**
 * What a key of this role may do. `user`: the id or the ARN of the AppInstanceUser, for a user's key. Undefined if the
 * role and the user do not belong together.
 */
export function grantOf({ kind, directory, subjectArn }: Role, user: string | undefined): KeptGrant | undefined {
  try {
    if (kind === 'callback') return createGrant({ kind, subjectArn })
    if (kind !== 'user') return createGrant({ kind: 'operator', role: kind, subjectArn })
    return createGrant({ kind, directory, subjectArn: userArnOf(subjectArn, user) })
  } catch (error) {
    if (error instanceof InvalidGrant) return undefined
    throw error
  }
}

/** A role of one AppInstance is for users of that only. */
function userArnOf(appInstance: string | undefined, user = ''): string | undefined {
  if (!user.startsWith('arn:')) return appInstance && appInstanceUserArn(appInstance, user)
  return appInstance === undefined || parseArn(user)?.appInstanceArn === appInstance ? user : undefined
}
