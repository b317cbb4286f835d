import { hash } from 'node:crypto'
import type { KeptGrant } from '../keys/grant.ts'
import { issueKeyFor, SuspendedSubject } from '../keys/issue-key.ts'
import type { Key } from '../keys/key.ts'
import { UnknownSubject } from '../keys/subject.ts'
import type { StsParts } from './context.ts'
import type { Role } from './roles.ts'
import { StsError } from './sts-error.ts'
import type { Members } from './xml.ts'

/** AWS's default for DurationSeconds. */
const secondsPreset = 3_600

export interface Session {
  role: Role
  grant: KeptGrant
  RoleSessionName: string
  DurationSeconds?: number | undefined
  /** The key of the caller, if the call was signed. */
  parent?: Key
}

/** The role that a RoleArn names: `arn:aws:iam::ACCOUNT:role/NAME`, with or without a path before the name. */
export function findRole({ roles, account }: StsParts, roleArn: string): Role | undefined {
  const prefix = `arn:aws:iam::${account}:role/`
  return roleArn.startsWith(prefix) ? roles.find(({ name }) => name === roleArn.split('/').at(-1)) : undefined
}

/** Returns the members that AssumeRole and AssumeRoleWithWebIdentity have in common. */
export async function issueForRole(parts: StsParts, session: Session): Promise<Members> {
  const { role, grant, RoleSessionName: name, DurationSeconds = secondsPreset, parent } = session
  const durationMs = (parts.keySeconds ?? DurationSeconds) * 1000
  const key = await issueKeyFor(parts, { grant, name, durationMs, parent }, parts.now()).catch((error: unknown) => {
    const isRefused = error instanceof UnknownSubject || error instanceof SuspendedSubject
    throw isRefused ? new StsError('AccessDenied', error.message) : error
  })
  return {
    Credentials: {
      AccessKeyId: key.accessKeyId,
      SecretAccessKey: key.secretAccessKey,
      SessionToken: key.sessionToken,
      Expiration: new Date(key.expiresAtMs).toISOString(),
    },
    AssumedRoleUser: {
      Arn: `arn:aws:sts::${parts.account}:assumed-role/${role.name}/${name}`,
      AssumedRoleId: `AROA${hash('sha256', role.name).slice(0, 16).toUpperCase()}:${name}`,
    },
  }
}
