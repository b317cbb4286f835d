import Type from 'typebox'
import { type Identity, IdentityRejection } from '../keys/identity.ts'
import { findRole, issueForRole } from './assumed-role.ts'
import type { Action, StsParts } from './context.ts'
import { DurationSeconds, type Form, Parameters, RoleArn, RoleSessionName, rejectUnsupported } from './form.ts'
import { grantOf } from './roles.ts'
import { StsError, type StsErrorCode } from './sts-error.ts'
import type { Members } from './xml.ts'

const WebIdentityToken = Type.String({ minLength: 4 })
const parameters = new Parameters(Type.Object({ RoleArn, RoleSessionName, WebIdentityToken, DurationSeconds }))

/**
 * Issues a temporary key to a user whom an identity provider has authenticated. The user is the one that the token
 * names, never the session name, which the caller chooses.
 */
export const AssumeRoleWithWebIdentity: Action = (form, parts) => parts.unsignedCalls.run(() => assumeRole(form, parts))

async function assumeRole(form: Form, parts: StsParts): Promise<Members> {
  rejectUnsupported(form)
  const { WebIdentityToken: token, ...input } = parameters.read(form)
  const identity = await verify(parts, token)
  const role = findRole(parts, input.RoleArn)
  const grant = role?.kind === 'user' ? grantOf(role, identity.user) : undefined
  if (!role || !grant) throw new StsError('AccessDenied', 'Not authorized to perform sts:AssumeRoleWithWebIdentity')
  return {
    ...(await issueForRole(parts, { ...input, role, grant })),
    SubjectFromWebIdentityToken: identity.subject,
    Audience: identity.audience,
    Provider: parts.webIdentity?.issuer,
  }
}

const codes: Record<IdentityRejection['reason'], StsErrorCode> = {
  invalid: 'InvalidIdentityToken',
  expired: 'ExpiredTokenException',
  'issuer unreachable': 'IDPCommunicationError',
}

async function verify({ webIdentity }: StsParts, token: string): Promise<Identity> {
  if (!webIdentity) throw new StsError('InvalidIdentityToken', 'No identity provider is set: CARILLON_OIDC_ISSUER')
  return webIdentity.verify(token).catch((error: unknown) => {
    throw error instanceof IdentityRejection ? new StsError(codes[error.reason], error.message) : error
  })
}
