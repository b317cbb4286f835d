import type { Audience, MessageEventType } from './channel-event.ts'
import type { Job, MessageRow, RunRow, StepRow, TokenRow } from './tables.ts'

/**
 * The hot writes, as values: many of them share one durable commit, and each has its own outcome. A guard in the write
 * checks that what the caller has read is still true.
 */
export type Change = AcceptMessage | AcceptUpdate | DecideStep | RecordHandOff | TakeSteps

export type OutcomeOf<C extends Change> = C extends AcceptMessage
  ? AcceptOutcome
  : C extends AcceptUpdate
    ? AcceptUpdateOutcome
    : C extends DecideStep
      ? DecideOutcome
      : C extends RecordHandOff
        ? RecordOutcome
        : Job[]

/**
 * Adds a message to its channel, with its run and first step if a flow holds it. Guard: its sender is a DEFAULT member,
 * the channel's flow has not changed since it was read, and neither the channel nor the sender is deleted.
 */
export interface AcceptMessage {
  kind: 'AcceptMessage'
  message: Omit<MessageRow, 'seq'>
  /** The flow that holds the channel's messages, as it was read, null for none; undefined if no flow would hold it. */
  channelFlowArn: string | null | undefined
  event: { eventType: MessageEventType; audience: Audience }
  token: TokenRow | undefined
  flow: { run: RunRow; step: StepRow } | undefined
}

export type AcceptOutcome =
  | { result: 'accepted'; message: MessageRow }
  | { result: 'rejected'; because: 'sender is no member' | 'flow has changed' | 'token is in use' }

/**
 * The sender of a message updates its text: at once, or when the flow releases the update. Guard: the message is SENT and
 * unchanged since it was read, no other update of it is pending, the channel's flow has not changed since it was read, a
 * sender who was a member still is one, and the channel is not deleted.
 */
export interface AcceptUpdate {
  kind: 'AcceptUpdate'
  /** The new row. Its revision is one higher than the one that was read. */
  message: MessageRow
  /** Whether the sender updates it as a member, and not as a moderator or an admin alone. */
  asMember: boolean
  /** The flow that holds the channel's messages, as it was read, null for none; undefined if no flow would hold it. */
  channelFlowArn: string | null | undefined
  /** The message in the event. */
  shown: MessageRow
  event: { eventType: MessageEventType; audience: Audience }
  flow: { run: RunRow; step: StepRow } | undefined
  now: number
}

export type AcceptUpdateOutcome =
  | { result: 'accepted' }
  | { result: 'rejected'; because: 'message or flow has changed' }

/**
 * Ends a step, and its run if no step follows. Guard: the step is open, its owner is `expectedOwner`, a deadline at which it
 * ends has not been extended, and the channel is not deleted.
 */
export interface DecideStep {
  kind: 'DecideStep'
  step: StepRow
  /** The owner that was read; undefined for a processor's verdict, which counts with any owner. */
  expectedOwner: string | undefined
  run: RunRow
  /** The name of the step's processor, for the log. */
  processorName: string | undefined
  /** The names of the processors that have changed the message, in execution order, for the log. */
  changedBy: string[]
  /** The next processor's step, already owned by this node, or undefined when the run ends here. */
  next: StepRow | undefined
  runResult: RunResult | undefined
  /** The message that was read, for the job of the next step. */
  message: MessageRow
  /** Whether an earlier processor of the run changed the text: the changed text is stored until this step ends. */
  changedBefore: boolean
}

/** The message at the end of its run. While the run's step is open, no other write changes the message. */
export interface RunResult {
  /** The message's new row; undefined if it is deleted, as for denied and NON_PERSISTENT messages. */
  message: MessageRow | undefined
  /** The message in the event. */
  shown: MessageRow
  event: { eventType: MessageEventType; audience: Audience }
}

/** `step is over`: it is closed, another node owns it, or its channel is deleted. */
export type DecideOutcome = { result: 'decided' } | { result: 'rejected'; because: 'step is over' }

/**
 * Records a hand-off, or the end of an attempt without a verdict. Guard: the step is open and this node owns it.
 */
export interface RecordHandOff {
  kind: 'RecordHandOff'
  step: StepRow
  /** The owner that was read. A node that has lost its lease must not overwrite the writes of the new owner. */
  expectedOwner: string
}

export type RecordOutcome = { result: 'recorded' } | { result: 'rejected'; because: 'step is over' }

/**
 * Makes this node the owner of open steps: of due steps that are free or its own, or of the orphans of a dead node. If two
 * nodes take the same step, one of them gets it.
 */
export interface TakeSteps {
  kind: 'TakeSteps'
  owner: string
  /** Undefined for steps that are due. */
  deadNode: string | undefined
  now: number
  /** When a step whose deadline has passed is due again, if it has not ended by then. */
  againAt: number
  stepsMax: number
}
