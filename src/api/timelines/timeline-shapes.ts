import Type from 'typebox'
import { optional } from '../../contract/binding.ts'
import { ChimeArn, Timestamp } from '../../contract/shapes.ts'

/* Shapes of the timeline, which AWS does not have. Times are in seconds since the epoch, as in AWS's responses. */

const AttemptOutput = Type.Object({
  At: Timestamp,
  What: Type.String(),
  Code: optional(Type.String()),
  AccessKeyId: optional(Type.String()),
})

const ExtensionOutput = Type.Object({ At: Timestamp, Until: Timestamp, AccessKeyId: Type.String() })

const StepOutput = Type.Object({
  Processor: Type.String(),
  FunctionName: Type.String(),
  State: Type.String(),
  OpenedAt: Timestamp,
  HandedOffAt: optional(Timestamp),
  DecidedAt: optional(Timestamp),
  DecidedBy: optional(Type.String()),
  AccessKeyId: optional(Type.String()),
  Reason: optional(Type.Object({ Code: Type.String(), Text: Type.String() })),
  Attempts: Type.Array(AttemptOutput),
  Changes: Type.Array(Type.Object({ Member: Type.String(), Before: Type.Integer(), After: Type.Integer() })),
  RejectedCallbacks: Type.Integer(),
  Extensions: optional(Type.Array(ExtensionOutput)),
  Waits: optional(Type.Object({ For: Type.String(), Until: Timestamp, Deadline: Timestamp })),
})

const RunOutput = Type.Object({
  Revision: Type.Integer(),
  ChannelFlowArn: ChimeArn,
  State: Type.String(),
  Detail: optional(Type.String()),
  AcceptedAt: Timestamp,
  EndedAt: optional(Timestamp),
  Steps: Type.Array(StepOutput),
})

export const TimelineOutput = {
  MessageId: Type.String(),
  ChannelArn: ChimeArn,
  Status: optional(Type.String()),
  SenderArn: optional(ChimeArn),
  Runs: Type.Array(RunOutput),
}
