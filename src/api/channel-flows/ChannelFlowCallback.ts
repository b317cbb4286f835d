import assert from 'node:assert/strict'
import { ApiError, badRequest, conflict, forbidden } from '../../contract/api-error.ts'
import { functionNameOf } from '../../contract/arn.ts'
import { optional, path, requiredIdempotencyToken } from '../../contract/binding.ts'
import type { InputOf } from '../../contract/operation.ts'
import { CallbackIdType, ChimeArn, NonNullableBoolean } from '../../contract/shapes.ts'
import { ChannelMessageCallback } from '../../contract/structures/channel-messages.ts'
import { changeOf, runOf } from '../../flow/decision.ts'
import { type FlowEvent, transition } from '../../flow/transition.ts'
import { mayDecide } from '../../keys/may.ts'
import type { CallbackResult } from '../../runtime/metrics.ts'
import type { DecideStep } from '../../store/changes.ts'
import { findStepRows, type StepRows } from '../../store/step-rows.ts'
import type { Reader } from '../../store/store.ts'
import type { StepRow } from '../../store/tables.ts'
import { byCredentialsAlone } from '../access.ts'
import { changesOf, requireTextSize } from '../channel-messages/channel-message.ts'
import { type Context, operation } from '../context.ts'
import { parametersHash } from '../idempotency.ts'
import { rejectSubChannel } from '../sub-channels.ts'
import { readDenialReason } from './denial-reason.ts'
import { reportRejected } from './rejected-callback.ts'

type Callback = InputOf<typeof input>

const input = {
  ChannelArn: path(ChimeArn),
  CallbackId: requiredIdempotencyToken(CallbackIdType),
  DeleteResource: optional(NonNullableBoolean),
  ChannelMessage: ChannelMessageCallback,
}

/**
 * A processor's verdict. The first one counts, and the SDK's own retry of it gets the same response. Any other is rejected:
 * with a BadRequest if the message has passed the step, with a Forbidden if it was denied or failed or the deadline has
 * passed, and with a Conflict if two arrive at the same time.
 */
export const ChannelFlowCallback = operation({
  name: 'ChannelFlowCallback',
  http: 'POST /channels/{ChannelArn}?operation=channel-flow-callback 200',
  input,
  output: { ChannelArn: optional(ChimeArn), CallbackId: optional(CallbackIdType) },
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  resources: ['ChannelArn'],
  rate: 'messages',
  whileStopping: true,
  allow: byCredentialsAlone,
  async onInvalid(input, context, violations) {
    const problem = violations.map(({ knownName, constraint }) => `${knownName}: ${constraint}`).join('; ')
    context.metrics.countCallback('invalid')
    await reportRejected(input, problem, context)
  },
  async handle(input, context) {
    const { ChannelArn, CallbackId } = input
    await requireValidMessage(input, context)
    const result = await decide(input, context).catch((error: unknown) => {
      context.metrics.countCallback(rejectionOf(error))
      throw error
    })
    context.metrics.countCallback(result)
    return { ChannelArn, CallbackId }
  },
})

/**
 * Checks rules that the shapes cannot express. Throws a BadRequest, which is logged like any other invalid callback.
 */
async function requireValidMessage(input: Callback, context: Context): Promise<void> {
  try {
    rejectSubChannel(input.ChannelMessage.SubChannelId)
    requireTextSize(input.ChannelMessage, 'STANDARD')
    if (input.DeleteResource) readDenialReason(input.ChannelMessage.Metadata)
  } catch (error) {
    context.metrics.countCallback('invalid')
    await reportRejected(input, (error as ApiError).message, context)
    throw error
  }
}

async function decide(input: Callback, context: Context): Promise<CallbackResult> {
  const rows = await requireStepRows(context.read, input.ChannelArn, input.CallbackId)
  if (rows.step.message_id !== input.ChannelMessage.MessageId) {
    await reportRejected(input, 'channelMessage.messageId: is not the message of this CallbackId', context)
    throw forbidden()
  }
  try {
    return await decideStep(rows, input, context)
  } catch (error) {
    if (error instanceof ApiError) context.rejectedCallbacks.add(rows.step)
    throw error
  }
}

async function decideStep(rows: StepRows, input: Callback, context: Context): Promise<CallbackResult> {
  const { DeleteResource: deny = false, ChannelMessage } = input
  requireOwnStep(rows, context)
  const verdictKey = verdictKeyOf(input, context)
  if (isRepeated(verdictKey, rows.step)) return 'repeated'

  const reason = deny ? readDenialReason(ChannelMessage.Metadata) : undefined
  const decision = reason && ({ by: 'callback', reason } as const)
  const verdict = { type: 'Verdict', deny, text: deny ? {} : changesOf(ChannelMessage), decision } as const
  const change = decisionOf(rows, verdict, context)
  const outcome = await context.store.commit({
    ...change,
    expectedOwner: undefined,
    step: { ...change.step, verdict_key: verdictKey },
  })
  if (outcome.result === 'decided') logDecision(change, deny, context)
  else await requireRepeated(verdictKey, input, context)
  return outcome.result === 'decided' ? (deny ? 'denied' : 'allowed') : 'repeated'
}

/** The metric's label for a rejected callback. */
function rejectionOf(error: unknown): CallbackResult {
  const results: Partial<Record<ApiError['code'], CallbackResult>> = {
    BadRequest: 'not_pending',
    Conflict: 'conflict',
    Forbidden: 'forbidden',
  }
  return (error instanceof ApiError && results[error.code]) || 'failed'
}

/** Throws a Forbidden, as for an unknown id, if the key is for another flow or another function. */
function requireOwnStep({ step, run }: StepRows, { credentials, log, requestId }: Context): void {
  const facts = { channelFlowArn: run.channel_flow_arn, functionName: functionNameOf(step.function_arn) }
  if (mayDecide(credentials.grant, facts)) return
  const { accessKeyId } = credentials
  log.warn({ requestId, accessKeyId, ...facts }, 'callback denied: its key is for another flow or function')
  throw forbidden()
}

/** Throws a Forbidden if the id is unknown, or belongs to another channel. */
async function requireStepRows(read: Reader, channelArn: string, callbackId: string): Promise<StepRows> {
  const rows = await findStepRows(read, channelArn, callbackId)
  if (!rows) throw forbidden()
  return rows
}

/**
 * Identifies the call. If the response was lost, the SDK repeats the call with the same amz-sdk-invocation-id and body: that
 * is the same verdict. A processor that receives its event again makes another call. Null if the caller sends no such id.
 */
const verdictKeyOf = (input: object, { invocationId }: Context): string | null =>
  invocationId === undefined ? null : parametersHash({ invocationId, input })

const isRepeated = (verdictKey: string | null, step: StepRow) => verdictKey !== null && step.verdict_key === verdictKey

/**
 * The step was open when it was read, and had ended before the write: by this same call, or by another verdict.
 */
async function requireRepeated(
  verdictKey: string | null,
  { ChannelArn, CallbackId }: { ChannelArn: string; CallbackId: string },
  { read }: Context,
): Promise<void> {
  const { step } = await requireStepRows(read, ChannelArn, CallbackId)
  if (isRepeated(verdictKey, step)) return
  throw conflict('Another callback for this message was processed at the same time')
}

/** The hot write of the verdict. Throws if the verdict is too late. */
function decisionOf({ step, run, message }: StepRows, verdict: FlowEvent, context: Context): DecideStep {
  const now = context.now()
  const result = transition(runOf({ step, run }), verdict, { ...context, now })
  if ('rejection' in result) throw result.rejection === 'NotPending' ? notPending(step.callback_id) : forbidden()
  if (!message) throw forbidden()
  const change = changeOf({ step, run, message }, result, context.node, now)
  assert(change?.kind === 'DecideStep', 'a verdict decides its step')
  return change
}

const notPending = (callbackId: string) =>
  badRequest(`Unable to complete processing of non-pending message for callback id ${callbackId}`)

function logDecision({ step, run, processorName }: DecideStep, denied: boolean, { log, requestId }: Context): void {
  const facts = {
    requestId,
    channelArn: step.channel_arn,
    messageId: step.message_id,
    processor: processorName,
    changed: step.changes_json !== null,
    runState: run.state,
  }
  log.debug(facts, denied ? 'message denied' : 'message allowed')
}
