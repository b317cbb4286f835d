/** Where this server's resources live; both are parts of every ARN. */
export interface AwsLocation {
  region: string
  account: string
}

/** The parts of an ARN of this API: it names an AppInstance, or a resource of one. */
export interface ParsedArn {
  appInstanceArn: string
  kind: 'app-instance' | 'user' | 'bot' | 'channel' | 'channel-flow'
  /** Within its AppInstance; the AppInstance's own id if the ARN names that. */
  id: string
}

const arnPattern = /^(arn:aws:chime:[^:]*:[^:]*:app-instance\/([^/]+))(?:\/(user|bot|channel|channel-flow)\/([^/]+))?$/
const appInstancePart = /^arn:aws:chime:[^:]*:[^:]*:app-instance\/[^/]+/

export const appInstanceArn = ({ region, account }: AwsLocation, id: string) =>
  `arn:aws:chime:${region}:${account}:app-instance/${id}`
export const appInstanceUserArn = (appInstance: string, id: string) => `${appInstance}/user/${id}`
export const channelArn = (appInstance: string, id: string) => `${appInstance}/channel/${id}`
export const channelFlowArn = (appInstance: string, id: string) => `${appInstance}/channel-flow/${id}`

/** The AppInstance that a user, channel or flow ARN belongs to, or the ARN's own if it is one. */
export const appInstanceOf = (arn: string): string | undefined => appInstancePart.exec(arn)?.[0]

/** Undefined if the text is no ARN of this API. */
export function parseArn(arn: string): ParsedArn | undefined {
  const [, appInstanceArn, appInstanceId, kind, id] = arnPattern.exec(arn) ?? []
  if (appInstanceArn === undefined || appInstanceId === undefined) return undefined
  if (kind === undefined || id === undefined) return { appInstanceArn, kind: 'app-instance', id: appInstanceId }
  return { appInstanceArn, kind: kind as ParsedArn['kind'], id }
}

/** Whether the ARN names a user or a bot of the AppInstance, which can be a bearer, a member or an admin. */
export function isPrincipalOf(appInstanceArn: string, arn: string): boolean {
  const parsed = parseArn(arn)
  return parsed?.appInstanceArn === appInstanceArn && (parsed.kind === 'user' || parsed.kind === 'bot')
}

/**
 * `redact` of `arn:aws:lambda:us-east-1:111122223333:function:redact:live`: account, region and version do not matter.
 */
export const functionNameOf = (lambdaArn: string): string => lambdaArn.split(':')[6] ?? ''
