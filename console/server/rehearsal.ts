import { call } from './call.ts'

export interface Person {
  AppInstanceUserArn: string
  Name: string
  AccessKeyId: string
  SecretAccessKey: string
  SessionToken: string
  /** ISO 8601. */
  Expiration: string
}

export interface Rehearsal {
  AppInstanceArn: string
  ChannelArn: string
  ChannelFlowArn: string
  Users: [Person, Person]
}

export type Fallback = 'ABORT' | 'CONTINUE'

export const createRehearsal = (FunctionNames: string[], FallbackAction: Fallback): Promise<Rehearsal> =>
  call('POST', '/carillon/v1/rehearsals', { FunctionNames, FallbackAction })
