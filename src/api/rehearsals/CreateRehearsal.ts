import Type from 'typebox'
import { optional } from '../../contract/binding.ts'
import { ChimeArn, FallbackAction } from '../../contract/shapes.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'
import { FunctionName } from '../processors/function-name.ts'
import { createChannelOf, findFlow, findPeople, findStage, keyFor } from './rehearsal.ts'

const Person = Type.Object({
  AppInstanceUserArn: ChimeArn,
  Name: Type.String(),
  AccessKeyId: Type.String(),
  SecretAccessKey: Type.String(),
  SessionToken: Type.String(),
  Expiration: Type.String(),
})

/**
 * A channel for two people in which a flow of these functions can be tried: with a temporary key for each person. The
 * AppInstance, the people and the flow are made once and found again; the channel expires a day after its last message.
 */
export const CreateRehearsal = operation({
  name: 'CreateRehearsal',
  service: 'carillon',
  http: 'POST /carillon/v1/rehearsals 201',
  input: {
    FunctionNames: Type.Array(FunctionName, { minItems: 1, maxItems: 3 }),
    FallbackAction: optional(FallbackAction),
  },
  output: { AppInstanceArn: ChimeArn, ChannelArn: ChimeArn, ChannelFlowArn: ChimeArn, Users: Type.Array(Person) },
  errors: ['BadRequest', 'Conflict', 'Forbidden', 'NotFound', 'ResourceLimitExceeded'],
  resources: [],
  audited: ['AppInstanceArn', 'ChannelArn', 'ChannelFlowArn', 'FunctionNames'],
  allow: byCredentialsAlone,
  async handle({ FunctionNames, FallbackAction: fallback = 'ABORT' }, context) {
    const at = context.now()
    const appInstanceArn = await findStage(context)
    const people = await findPeople(context, appInstanceArn)
    const channelFlowArn = await findFlow(context, appInstanceArn, FunctionNames, fallback)
    const channelArn = await createChannelOf(context, appInstanceArn, people, channelFlowArn)
    const users = await Promise.all(people.map((person) => keyFor(context, person, at)))
    return { AppInstanceArn: appInstanceArn, ChannelArn: channelArn, ChannelFlowArn: channelFlowArn, Users: users }
  },
})
