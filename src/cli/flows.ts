import { ConfigError } from '../config.ts'
import { takeFlags } from './own-flags.ts'
import { serverOf } from './running-server.ts'

const usage = `npx carillon flows status [--json]
    shows for each AppInstance which flow its channels must have, and how many have none yet

It calls the server that runs in --data-dir.`

interface FlowStatus {
  AppInstanceArn: string
  RequiredFlowArn?: string
  Channels: number
  Remaining?: number
  WithoutFlow: number
  Partial: boolean
}

/** Maximum of listed AppInstances. */
const listedMax = 10_000

const appInstancesOf = ({ AppInstances }: { AppInstances: FlowStatus[]; NextToken?: string }) => AppInstances

/** `carillon flows status`. */
export async function flows([action = '', ...args]: string[], environment: NodeJS.ProcessEnv): Promise<number> {
  if (action !== 'status') throw new ConfigError([usage])
  const { flags, others } = takeFlags(args, { '--json': 'no value' })
  const server = serverOf(others, environment)
  const all = await server.list('/carillon/v1/flows/status', {}, appInstancesOf, listedMax)
  if (flags['--json'] !== undefined) console.log(JSON.stringify(all, null, 2))
  else console.log(all.length === 0 ? 'No AppInstance has a channel flow.' : all.map(describe).join('\n'))
  return 0
}

function describe({ AppInstanceArn, RequiredFlowArn, Channels, Remaining = 0, WithoutFlow, Partial }: FlowStatus) {
  const of = `of ${Channels}${Partial ? ' counted' : ''} channels`
  if (RequiredFlowArn === undefined) return `${AppInstanceArn}\n  requires no flow: ${WithoutFlow} ${of} have none`
  const state =
    Remaining === 0
      ? `0 ${of} are left`
      : `${Remaining} ${of} are left, ${WithoutFlow} of them without a flow in their rows; it holds their messages already`
  return `${AppInstanceArn}\n  requires ${RequiredFlowArn}: ${state}`
}
