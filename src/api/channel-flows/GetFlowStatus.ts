import Type from 'typebox'
import { optional } from '../../contract/binding.ts'
import { ChimeArn, NextToken } from '../../contract/shapes.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { scopeOf } from '../keys/key-summary.ts'
import { pageMembers, readPage } from '../paging.ts'
import { type FlowScope, listFlowScopes, readFlowCoverage } from './flow-coverage.ts'

const AppInstanceFlowStatus = Type.Object({
  AppInstanceArn: ChimeArn,
  RequiredFlowArn: optional(ChimeArn),
  Channels: Type.Integer(),
  Remaining: optional(Type.Integer()),
  WithoutFlow: Type.Integer(),
  Partial: Type.Boolean(),
})

/**
 * Each AppInstance that has flows, with the number of its channels without one, and the number of those into which
 * background work has still to write the required flow.
 */
export const GetFlowStatus = operation({
  name: 'GetFlowStatus',
  service: 'carillon',
  http: 'GET /carillon/v1/flows/status 200',
  input: pageMembers,
  output: { AppInstances: Type.Array(AppInstanceFlowStatus), NextToken: optional(NextToken) },
  errors: ['BadRequest'],
  resources: [],
  allow: byCredentialsAlone,
  async handle(input, context) {
    const { read, credentials } = context
    const { page, NextToken } = await readPage(context, input, {
      start: '',
      rowsAfter: (after, rowsMax) => listFlowScopes(read, { after, rowsMax, within: scopeOf(credentials) }),
      positionOf: ({ app_instance_arn }) => app_instance_arn,
    })
    const AppInstances = []
    for (const scope of page) AppInstances.push(toWire(scope, await readFlowCoverage(read, scope)))
    return { AppInstances, NextToken }
  },
})

const toWire = (
  { app_instance_arn, required_flow_arn }: FlowScope,
  coverage: Awaited<ReturnType<typeof readFlowCoverage>>,
) => ({
  AppInstanceArn: app_instance_arn,
  RequiredFlowArn: required_flow_arn ?? undefined,
  Channels: coverage.channels,
  Remaining: required_flow_arn === null ? undefined : coverage.remaining,
  WithoutFlow: coverage.withoutFlow,
  Partial: coverage.isPartial,
})
