import { functionNameOf } from '../../contract/arn.ts'
import type { Processor } from '../../contract/structures/channel-flows.ts'
import { readPausedFunctions } from '../../flow/paused-functions.ts'
import { readSilentFunctions } from '../../flow/pending.ts'
import type { Reader } from '../../store/store.ts'
import { listFlowScopes, readFlowCoverage } from '../channel-flows/flow-coverage.ts'
import type { Finding } from './finding.ts'

/** A processor that has not responded for so long is silent. */
const silentMs = 3_600_000
/** Maximum of AppInstances, and of flows, that are examined. */
const examinedMax = 1_000

interface Parts {
  read: Reader
  now: number
  /** The AppInstance whose flows the caller sees; undefined for all. */
  within: string | undefined
}

/** Channels whose messages no flow sees, in AppInstances that have flows. A required flow sees all messages. */
export async function channelsWithoutFlow({ read, within }: Parts): Promise<Finding[]> {
  const findings: Finding[] = []
  const scopes = await listFlowScopes(read, { after: '', within, rowsMax: examinedMax })
  for (const scope of scopes.filter(({ required_flow_arn }) => required_flow_arn === null)) {
    const { withoutFlow, channels } = await readFlowCoverage(read, scope)
    if (withoutFlow === 0) continue
    findings.push({
      Kind: 'CHANNELS_WITHOUT_FLOW',
      Subject: scope.app_instance_arn,
      Problem: `${withoutFlow} of ${channels} channels have no flow`,
      Remedy: 'set the tag carillon:required-flow of the AppInstance, or associate a flow with each channel',
    })
  }
  return findings
}

/** Flows with a processor whose function is not there. Its messages wait, or its FallbackAction decides. */
export async function flowsWithoutFunction(
  { read, within = '' }: Parts,
  isAbsent: (functionName: string) => boolean,
): Promise<Finding[]> {
  const flows = await read.all<{ channel_flow_arn: string; processors_json: string }>(
    `SELECT channel_flow_arn, processors_json FROM channel_flow WHERE ($1 = '' OR app_instance_arn = $1)
     ORDER BY channel_flow_arn LIMIT $2`,
    within,
    examinedMax,
  )
  return flows.flatMap(({ channel_flow_arn, processors_json }) =>
    (JSON.parse(processors_json) as Processor[])
      .map(({ Configuration }) => functionNameOf(Configuration.Lambda.ResourceArn))
      .filter(isAbsent)
      .map((functionName) => ({
        Kind: 'FUNCTION_MISSING',
        Subject: channel_flow_arn,
        Problem: `its function ${functionName} is not there`,
        Remedy: `put ${functionName}.mjs into the functions folder, or set CARILLON_LAMBDA_ENDPOINT`,
      })),
  )
}

/** Functions that have messages for an hour without a verdict. */
export async function silentProcessors({ read, now, within }: Parts): Promise<Finding[]> {
  const [silent, paused] = await Promise.all([
    readSilentFunctions(read, { before: now - silentMs, within }),
    readPausedFunctions(read),
  ])
  return silent.map(({ functionName, messages, oldestAt }) => {
    const Problem = `${messages} messages have waited for its verdict for an hour or longer, the oldest since ${new Date(oldestAt).toISOString()}`
    if (paused.includes(functionName)) {
      const Remedy = `it is paused: npx carillon resume ${functionName}`
      return { Kind: 'PROCESSOR_PAUSED', Subject: functionName, Problem, Remedy }
    }
    const Remedy = `npx carillon pending --processor ${functionName}, then npx carillon trace; repair it, then npx carillon again --all-of ${functionName}`
    return { Kind: 'PROCESSOR_SILENT', Subject: functionName, Problem, Remedy }
  })
}
