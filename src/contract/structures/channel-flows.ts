import Type, { type Static } from 'typebox'
import { optional } from '../binding.ts'
import {
  ChannelFlowExecutionOrder,
  ChimeArn,
  FallbackAction,
  InvocationType,
  LambdaFunctionArn,
  NonEmptyResourceName,
  Timestamp,
} from '../shapes.ts'

const LambdaConfiguration = Type.Object({ ResourceArn: LambdaFunctionArn, InvocationType: InvocationType })
const ProcessorConfiguration = Type.Object({ Lambda: LambdaConfiguration })
export const Processor = Type.Object({
  Name: NonEmptyResourceName,
  Configuration: ProcessorConfiguration,
  ExecutionOrder: ChannelFlowExecutionOrder,
  FallbackAction: FallbackAction,
})
export const ProcessorList = Type.Array(Processor, { minItems: 1, maxItems: 3 })
export const ChannelFlow = Type.Object({
  ChannelFlowArn: optional(ChimeArn),
  Processors: optional(ProcessorList),
  Name: optional(NonEmptyResourceName),
  CreatedTimestamp: optional(Timestamp),
  LastUpdatedTimestamp: optional(Timestamp),
})
export const ChannelFlowSummary = Type.Object({
  ChannelFlowArn: optional(ChimeArn),
  Name: optional(NonEmptyResourceName),
  Processors: optional(ProcessorList),
})

export type Processor = Static<typeof Processor>
