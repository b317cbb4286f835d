import type { Audience, MessageEventType } from './channel-event.ts'
import type { Job, MessageRow, RunRow, StepRow, TokenRow } from './tables.ts'

/**
 * The hot writes, as values: many of them share one durable commit, and each has an outcome of its own.
 * What was true when the caller read and must still be true is a guard in the write.
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
 * A message enters its channel, with its run and first step if a flow holds it. Guard: its sender is a DEFAULT member,
 * the channel's flow is as it was when the message's way was chosen, and neither the channel nor the sender is deleted.
 */
export interface AcceptMessage {
  kind: 'AcceptMessage'
  message: Omit<MessageRow, 'seq'>
  /** The channel's flow as it was read, null for none; undefined for a message that no flow would hold. */
  channelFlowArn: string | null | undefined
  event: { eventType: MessageEventType; audience: Audience }
  token: TokenRow | undefined
  flow: { run: RunRow; step: StepRow } | undefined
}

export type AcceptOutcome =
  | { result: 'accepted'; message: MessageRow }
  | { result: 'rejected'; because: 'sender is no member' | 'flow has changed' | 'token is in use' }

/**
 * A message's sender gives it another text: at once, or when the flow lets it pass. Guard: the message is SENT and as
 * it was read, no other update of it is on its way, the channel's flow is as it was when the update's way was chosen, a
 * sender who was a member still is one, and the channel is not deleted.
 */
export interface AcceptUpdate {
  kind: 'AcceptUpdate'
  /** As it is from now on, its revision one more than that which was read. */
  message: MessageRow
  /** Whether the sender updates it as a member, and not as a moderator or an admin alone. */
  asMember: boolean
  /** The channel's flow as it was read, null for none; undefined for a message that no flow would hold. */
  channelFlowArn: string | null | undefined
  /** As the event shows it. */
  shown: MessageRow
  event: { eventType: MessageEventType; audience: Audience }
  flow: { run: RunRow; step: StepRow } | undefined
  now: number
}

export type AcceptUpdateOutcome =
  | { result: 'accepted' }
  | { result: 'rejected'; because: 'message or flow has changed' }

/**
 * A step ends, and with it perhaps the message's wait. Guard: the step is open, and owned by the node in `expectedOwner`; the
 * channel is not deleted.
 */
export interface DecideStep {
  kind: 'DecideStep'
  step: StepRow
  /** The owner as it was read; undefined for a processor's verdict, which counts whichever node owns the step. */
  expectedOwner: string | undefined
  run: RunRow
  /** The name of the step's processor, for the log. */
  processorName: string | undefined
  /** The names of the processors that have changed the message, in the order of their turns, for the log. */
  changedBy: string[]
  /** The next processor's step, already owned by this node, or undefined when the run ends here. */
  next: StepRow | undefined
  runResult: RunResult | undefined
  /** As it was read, for the next step's turn. */
  message: MessageRow
  /** Whether an earlier processor of the run changed the text: its version is stored until this step ends. */
  changedBefore: boolean
}

/** The message after the end of its run. While the run's step is open, no other write changes the message. */
export interface RunResult {
  /** The message's row from now on, or undefined if none stays: denied messages and NON_PERSISTENT ones leave none. */
  message: MessageRow | undefined
  /** As the event shows it. */
  shown: MessageRow
  event: { eventType: MessageEventType; audience: Audience }
}

/** A step is over for a writer if it is closed, if another node owns it, or if its channel is deleted. */
export type DecideOutcome = { result: 'decided' } | { result: 'rejected'; because: 'step is over' }

/**
 * An attempt ended without a verdict, or began and must be recorded. Guard: the step is open and owned by this node.
 */
export interface RecordHandOff {
  kind: 'RecordHandOff'
  step: StepRow
  /** The owner as it was read. A node that has lost its lease must not overwrite its successor's writes. */
  expectedOwner: string
}

export type RecordOutcome = { result: 'recorded' } | { result: 'rejected'; because: 'step is over' }

/**
 * Makes open steps this node's: those that are free or its own and due, or the orphans of a node that is not alive. Of
 * two nodes that want a step, one takes it.
 */
export interface TakeSteps {
  kind: 'TakeSteps'
  owner: string
  /** Undefined for steps that are due. */
  deadNode: string | undefined
  now: number
  /** When a step whose deadline has passed is due again, unless it is ended before. */
  againAt: number
  stepsMax: number
}
