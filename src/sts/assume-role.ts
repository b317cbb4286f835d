import Type from 'typebox'
import { appInstanceOf } from '../contract/arn.ts'
import { subjectOf } from '../keys/grant.ts'
import type { Key } from '../keys/key.ts'
import { may } from '../keys/may.ts'
import { type Act, recordAct } from '../store/audit.ts'
import { findRole, issueForRole, type Session } from './assumed-role.ts'
import type { Action, Origin, StsParts } from './context.ts'
import { DurationSeconds, Parameters, RoleArn, RoleSessionName, rejectUnsupported, sessionTag } from './form.ts'
import { callerArn } from './get-caller-identity.ts'
import { grantOf } from './roles.ts'
import { StsError, validationError } from './sts-error.ts'
import type { Members } from './xml.ts'

const action = 'sts:AssumeRole'

/** The session tag that names the AppInstanceUser of the new key, as in AWS's chat sample. */
const userTag = 'UserUUID'

type SignedSession = Session & { RoleArn: string; parent: Key }

const parameters = new Parameters(Type.Object({ RoleArn, RoleSessionName, DurationSeconds }))

/**
 * Issues a temporary key of a role to an operator, who vouches for the user: a session tag names it. The session name is
 * for the audit log and proves nothing. A temporary key issues no further one.
 */
export const AssumeRole: Action = async (form, parts, call) => {
  const caller = await call.authenticate()
  rejectUnsupported(form)
  const input = parameters.read(form)
  const role = findRole(parts, input.RoleArn)
  const grant = role && grantOf(role, sessionTag(form, userTag))
  if (!mayAssume(caller, grant ? subjectOf(grant) : role?.subjectArn)) throw denied(caller, input.RoleArn, parts)
  if (!role) throw denied(caller, input.RoleArn, parts, 'because CARILLON_STS_ROLES has no role of this name')
  if (!grant) throw validationError(userNeeded(role.subjectArn))
  const session = { ...input, role, grant, parent: caller }
  return parts.transaction(async (transaction) => {
    const issued = await issueForRole({ ...parts, read: transaction }, session)
    await recordAct(transaction, actOf(session, issued, parts.now(), call.origin))
    return issued
  }, 'read committed')
}

/** The row of the audit log. Later acts of the new key have its id. */
function actOf(
  { parent, grant, RoleArn, RoleSessionName }: SignedSession,
  issued: Members,
  at: number,
  origin: Origin,
): Act {
  const { accessKeyId, name: keyName } = parent
  const SubjectArn = subjectOf(grant)
  const { AccessKeyId } = issued.Credentials as Members
  const facts = { RoleArn, RoleSessionName, SubjectArn, AccessKeyId }
  const scopeArn = SubjectArn === undefined ? undefined : appInstanceOf(SubjectArn)
  return { at, accessKeyId, keyName, action, scopeArn, facts, ...origin }
}

const mayAssume = ({ grant, sessionToken }: Key, subjectArn: string | undefined) =>
  sessionToken === undefined && may(grant, { action, resources: subjectArn === undefined ? [] : [subjectArn] })

/** AWS's message. The reason, which names a setting, is for operators only. */
function denied(caller: Key, roleArn: string, parts: StsParts, reason = ''): StsError {
  const who = callerArn(caller, parts)
  return new StsError(
    'AccessDenied',
    `User: ${who} is not authorized to perform: ${action} on resource: ${roleArn} ${reason}`.trim(),
  )
}

const userNeeded = (appInstanceArn: string | undefined) =>
  appInstanceArn === undefined
    ? `The session tag ${userTag} must be the ARN of an AppInstanceUser`
    : `The session tag ${userTag} must be the id or the ARN of an AppInstanceUser of ${appInstanceArn}`
