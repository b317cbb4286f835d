import { appInstanceOf, parseArn } from '../contract/arn.ts'
import type { Grant } from './grant.ts'

/** What a call asks for, in the form of IAM: an action and the ARNs of its resources. */
export interface Request {
  /** `chime:SendChannelMessage`, `chime:Connect`, or `carillon:ListKeys` for an operation that AWS does not have. */
  action: string
  /** On whose behalf. Null if the operation may have a bearer and the call has none; absent if it never has one. */
  bearer?: string | null
  /** The other resources that the call names. */
  resources: readonly string[]
}

const callback = 'chime:ChannelFlowCallback'
const sessionEndpoint = 'chime:GetMessagingSessionEndpoint'

/** Operations that a user's key may call on its own ARN, though they have no bearer. */
const onItself = new Set([
  'chime:Connect',
  'chime:RegisterAppInstanceUserEndpoint',
  'chime:DescribeAppInstanceUserEndpoint',
  'chime:ListAppInstanceUserEndpoints',
  'chime:UpdateAppInstanceUserEndpoint',
  'chime:DeregisterAppInstanceUserEndpoint',
])

/** Operations that AWS's chat samples call from a browser, for the list of people and of flows. */
const directory = new Set([
  'chime:ListAppInstanceUsers',
  'chime:DescribeAppInstanceUser',
  'chime:DescribeChannelFlow',
  'chime:ListChannelFlows',
])

/** What a reviewer does besides reading of other things: it reads the texts of held messages, and decides about them. */
const review = new Set([
  'carillon:CompleteMessage',
  'carillon:DenyMessage',
  'carillon:ExtendMessage',
  'carillon:FailMessage',
  'carillon:GetHeldMessage',
  'carillon:RetryMessage',
])

/** Operations that may be called without naming a resource: they read no row outside the AppInstance of the key. */
const scopedByTheirRows = new Set([
  'carillon:ListKeys',
  'carillon:SuspendKey',
  'carillon:ResumeKey',
  'carillon:DeleteKey',
  'carillon:ListAuditEvents',
  'carillon:GetFlowStatus',
  'carillon:GetDiagnosis',
  'carillon:GetHeldMessage',
  'carillon:GetMessageTimeline',
  'carillon:ListPendingMessages',
  'carillon:ListFailedMessages',
  'carillon:CompleteMessage',
  'carillon:DenyMessage',
  'carillon:ExtendMessage',
  'carillon:FailMessage',
  'carillon:RetryMessage',
])

/**
 * Whether a key with this grant may do this. Its rules are policies of IAM's form, as far as this server has them: a
 * constant list of actions for each kind of key, on the resources of its subject. It reads no row; what rows then say,
 * such as the roles of the bearer, is checked by the operations.
 */
export function may(grant: Grant, request: Request): boolean {
  switch (grant.kind) {
    case 'operator':
      return mayAs(grant.role, request.action) && staysIn(grant.appInstanceArn, request)
    case 'user':
      return userMay(grant, request)
    case 'callback':
      return request.action === callback && allIn(appInstanceOf(grant.subjectArn), request.resources)
    case 'function':
      return request.action === callback || functionMay(grant, request)
  }
}

function mayAs(role: 'operator' | 'reviewer' | 'viewer', action: string): boolean {
  if (role === 'operator') return true
  return review.has(action) ? role === 'reviewer' : isReading(action)
}

/** AWS gives the access levels "List" and "Read" to operations of these names. */
const isReading = (action: string) => /^\w+:(?:Describe|Get|List|Search)/.test(action)

function staysIn(appInstanceArn: string | undefined, { action, bearer, resources }: Request): boolean {
  if (appInstanceArn === undefined || action === sessionEndpoint) return true
  const named = bearer ? [bearer, ...resources] : resources
  return named.length > 0 ? allIn(appInstanceArn, named) : scopedByTheirRows.has(action)
}

function userMay(
  { userArn, directory: readsDirectory }: Grant & { kind: 'user' },
  { action, bearer, resources }: Request,
): boolean {
  if (bearer !== undefined) return bearer === userArn && allIn(appInstanceOf(userArn), resources)
  if (action === sessionEndpoint) return true
  if (onItself.has(action)) return resources.length > 0 && resources.every((arn) => arn === userArn)
  return readsDirectory && directory.has(action) && allIn(appInstanceOf(userArn), resources)
}

/** As one of the users that its function.json names, within that user's AppInstance. */
function functionMay({ actAs }: Grant & { kind: 'function' }, { bearer, resources }: Request): boolean {
  const user = bearer ? parseArn(bearer) : undefined
  return user?.kind === 'user' && actAs.includes(user.id) && allIn(user.appInstanceArn, resources)
}

const allIn = (appInstanceArn: string | undefined, arns: readonly string[]) =>
  arns.every((arn) => appInstanceOf(arn) === appInstanceArn)

/** Whether a key with this grant may decide this step. `may` knows neither its flow nor its processor. */
export function mayDecide(grant: Grant, step: { channelFlowArn: string; functionName: string }): boolean {
  if (grant.kind === 'function') return grant.functionName === step.functionName
  if (grant.kind !== 'callback' || parseArn(grant.subjectArn)?.kind !== 'channel-flow') return true
  return grant.subjectArn === step.channelFlowArn
}
