import type { Key } from '../keys/key.ts'
import type { Action, StsParts } from './context.ts'

/** Every key that is not suspended may call it, as at AWS. */
export const GetCallerIdentity: Action = async (_form, parts, call) => {
  const caller = await call.authenticate()
  return { Arn: callerArn(caller, parts), UserId: caller.accessKeyId, Account: parts.account }
}

/** The user, for a user's key; else an ARN of the form that AWS has for such a caller. */
export function callerArn({ grant, name, accessKeyId, sessionToken }: Key, { account, rootKeyId }: StsParts): string {
  if (grant.kind === 'user') return grant.userArn
  if (accessKeyId === rootKeyId) return `arn:aws:iam::${account}:root`
  if (sessionToken === undefined) return `arn:aws:iam::${account}:user/${accessKeyId}`
  return `arn:aws:sts::${account}:assumed-role/${grant.kind}/${name ?? accessKeyId}`
}
