import type { Timeline, TimelineRun, TimelineStep } from '../../flow/timeline.ts'
import type { Attempt } from '../../flow/transition.ts'
import type { Extension } from '../../store/extensions.ts'
import { epochSeconds } from '../times.ts'

export const timelineToWire = ({ messageId, channelArn, status, senderArn, runs }: Timeline) => ({
  MessageId: messageId,
  ChannelArn: channelArn,
  Status: status,
  SenderArn: senderArn,
  Runs: runs.map(runToWire),
})

const runToWire = ({ revision, channelFlowArn, state, detail, acceptedAt, endedAt, steps }: TimelineRun) => ({
  Revision: revision,
  ChannelFlowArn: channelFlowArn,
  State: state,
  Detail: detail,
  AcceptedAt: epochSeconds(acceptedAt),
  EndedAt: timeOf(endedAt),
  Steps: steps.map(stepToWire),
})

const extensionToWire = ({ at, until, keyId }: Extension) => ({
  At: epochSeconds(at),
  Until: epochSeconds(until),
  AccessKeyId: keyId,
})

const stepToWire = ({ decision, waits, ...step }: TimelineStep) => ({
  Processor: step.processor,
  FunctionName: step.functionName,
  State: step.state,
  OpenedAt: epochSeconds(step.openedAt),
  HandedOffAt: timeOf(step.handedOffAt),
  DecidedAt: timeOf(step.decidedAt),
  DecidedBy: decision?.by,
  AccessKeyId: decision?.keyId,
  Reason: decision?.reason && { Code: decision.reason.code, Text: decision.reason.text },
  Attempts: step.attempts.map(attemptToWire),
  Changes: Object.entries(step.changes).map(([Member, [Before, After]]) => ({ Member, Before, After })),
  RejectedCallbacks: step.rejectedCallbacks,
  Extensions: step.extensions.length === 0 ? undefined : step.extensions.map(extensionToWire),
  Waits: waits && { For: waits.for, Until: epochSeconds(waits.until), Deadline: epochSeconds(waits.deadlineAt) },
})

const attemptToWire = ({ at, what, code, keyId }: Attempt) => ({
  At: epochSeconds(at),
  What: what,
  Code: code,
  AccessKeyId: keyId,
})

const timeOf = (ms: number | undefined) => (ms === undefined ? undefined : epochSeconds(ms))
