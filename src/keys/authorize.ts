import { type ApiError, accessDenied } from '../contract/api-error.ts'
import { appInstanceOf, functionNameOf } from '../contract/arn.ts'
import type { OperationFacts } from '../contract/operation.ts'
import type { Processor } from '../contract/structures/channel-flows.ts'
import type { Reader } from '../store/store.ts'
import type { Key } from './key.ts'
import { may, type Request } from './may.ts'

interface Call {
  operation: OperationFacts
  credentials: Key
  /** Valid. */
  input: object
}

interface Parts {
  read: Reader
  log: { warn(facts: object, text: string): void }
}

/**
 * Checks that the key permits the call, and throws an AccessDenied in AWS's words if it does not. Only a function that acts
 * as a user needs rows for it: then it returns a promise.
 */
export function createAuthorize({ read, log }: Parts): (call: Call) => Promise<void> | undefined {
  return ({ operation, credentials, input }) => {
    const request = requestOf(operation, input)
    const { grant } = credentials
    if (!may(grant, request)) {
      if (grant.kind === 'function') reportFunction(grant.functionName, request, log)
      throw denialOf(credentials, request)
    }
    if (grant.kind !== 'function' || !request.bearer) return undefined
    return requireFlowWith(read, grant.functionName, request.bearer, () => denialOf(credentials, request))
  }
}

/** The first member of an operation's resources is the bearer, if it has one. */
function requestOf({ name, service, resources }: OperationFacts, input: object): Request {
  const values = input as Record<string, unknown>
  const arns: string[] = []
  let bearer: string | null | undefined
  for (const member of resources) {
    const arn = values[member]
    if (member === 'ChimeBearer') bearer = typeof arn === 'string' ? arn : null
    else if (typeof arn === 'string') arns.push(arn)
  }
  return { action: `${service ?? 'chime'}:${name}`, ...(bearer !== undefined && { bearer }), resources: arns }
}

/** AWS's text, in which a user's key is the user. */
function denialOf({ grant, accessKeyId }: Key, { action, bearer, resources }: Request): ApiError {
  const caller = grant.kind === 'user' ? grant.userArn : `the ${grant.kind} key ${accessKeyId}`
  const resource = [bearer, ...resources].find((arn) => arn) ?? '*'
  return accessDenied(`User: ${caller} is not authorized to perform: ${action} on resource: ${resource}`)
}

/** A function acts as a user only in the AppInstances where a flow names the function. */
async function requireFlowWith(read: Reader, functionName: string, bearer: string, denied: () => ApiError) {
  const rows = await read.all<{ processors_json: string }>(
    'SELECT processors_json FROM channel_flow WHERE app_instance_arn = $1',
    appInstanceOf(bearer) ?? '',
  )
  if (!rows.some((row) => namesFunction(row.processors_json, functionName))) throw denied()
}

const namesFunction = (processorsJson: string, functionName: string) =>
  (JSON.parse(processorsJson) as Processor[]).some(
    ({ Configuration }) => functionNameOf(Configuration.Lambda.ResourceArn) === functionName,
  )

function reportFunction(functionName: string, { action, bearer }: Request, log: Parts['log']): void {
  const userId = bearer?.split('/user/')[1]
  const remedy =
    userId === undefined
      ? 'functions may only call ChannelFlowCallback, and operations with a bearer that their function.json names'
      : `to permit it, add this line to the function.json of the function: "actAs": [${JSON.stringify(userId)}]`
  log.warn({ functionName, action, bearer }, `call of a function denied: ${remedy}`)
}
