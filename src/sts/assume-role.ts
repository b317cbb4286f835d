import Type from 'typebox'
import { subjectOf } from '../keys/grant.ts'
import type { Key } from '../keys/key.ts'
import { may } from '../keys/may.ts'
import { findRole, issueForRole } from './assumed-role.ts'
import type { Action, StsParts } from './context.ts'
import { DurationSeconds, Parameters, RoleArn, RoleSessionName, rejectUnsupported, sessionTag } from './form.ts'
import { callerArn } from './get-caller-identity.ts'
import { grantOf } from './roles.ts'
import { StsError, validationError } from './sts-error.ts'

const action = 'sts:AssumeRole'

/** The session tag that names the AppInstanceUser of the new key, as in AWS's chat sample. */
const userTag = 'UserUUID'

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
  return issueForRole(parts, { ...input, role, grant, parent: caller })
}

const mayAssume = ({ grant, sessionToken }: Key, subjectArn: string | undefined) =>
  sessionToken === undefined && may(grant, { action, resources: subjectArn === undefined ? [] : [subjectArn] })

/** In AWS's words. Only an operator is told what the setting lacks. */
function denied(caller: Key, roleArn: string, { account }: StsParts, reason = ''): StsError {
  const who = callerArn(caller, account)
  return new StsError(
    'AccessDenied',
    `User: ${who} is not authorized to perform: ${action} on resource: ${roleArn} ${reason}`.trim(),
  )
}

const userNeeded = (appInstanceArn: string | undefined) =>
  appInstanceArn === undefined
    ? `The session tag ${userTag} must be the ARN of an AppInstanceUser`
    : `The session tag ${userTag} must be the id or the ARN of an AppInstanceUser of ${appInstanceArn}`
