import { badRequest, conflict, forbidden } from '../../contract/api-error.ts'
import { optional, path, requiredIdempotencyToken } from '../../contract/binding.ts'
import { CallbackIdType, ChimeArn, NonNullableBoolean } from '../../contract/shapes.ts'
import { ChannelMessageCallback } from '../../contract/structures.ts'
import { changeOf, processorsOf, runOf } from '../../flow/decision.ts'
import { transition } from '../../flow/transition.ts'
import type { Reader } from '../../store/store.ts'
import type { MessageRow, RunRow, StepRow, Turn } from '../../store/tables.ts'
import { byCredentialsAlone } from '../access.ts'
import { changesOf, findMessage, requireTextSize } from '../channel-messages/channel-message.ts'
import { type Context, operation } from '../context.ts'
import { refuseSubChannel } from '../sub-channels.ts'

/** A processor's verdict. The first one counts; what a repeated, late or racing one is answered is told apart below. */
export const ChannelFlowCallback = operation({
  name: 'ChannelFlowCallback',
  http: 'POST /channels/{ChannelArn}?operation=channel-flow-callback 200',
  input: {
    ChannelArn: path(ChimeArn),
    CallbackId: requiredIdempotencyToken(CallbackIdType),
    DeleteResource: optional(NonNullableBoolean),
    ChannelMessage: ChannelMessageCallback,
  },
  output: { ChannelArn: optional(ChimeArn), CallbackId: optional(CallbackIdType) },
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  allow: byCredentialsAlone,
  async handle({ ChannelArn, CallbackId, DeleteResource: deny = false, ChannelMessage }, context) {
    refuseSubChannel(ChannelMessage.SubChannelId)
    requireTextSize(ChannelMessage, 'STANDARD')
    const { step, run, message } = await findTurn(context.read, ChannelArn, CallbackId)
    if (step.message_id !== ChannelMessage.MessageId) throw forbidden()
    const now = context.now()
    const verdict = { type: 'Verdict', deny, text: deny ? {} : changesOf(ChannelMessage) } as const
    const result = transition(runOf({ step, run }), verdict, { now, newId: context.newId, random: context.random })
    if ('refusal' in result) throw result.refusal === 'NotPending' ? notPending(CallbackId) : forbidden()
    if (!message) throw forbidden()
    await decide({ step, run, message }, result, deny, context, now)
    return { ChannelArn, CallbackId }
  },
})

const notPending = (callbackId: string) =>
  badRequest(`Unable to complete processing of non-pending message for callback id ${callbackId}`)

/** The step that the id names, whose message may be gone already. Unknown, or another channel's: Forbidden. */
async function findTurn(read: Reader, channelArn: string, callbackId: string) {
  const step = await read.get<StepRow>(
    'SELECT * FROM flow_step WHERE channel_arn = $1 AND callback_id = $2',
    channelArn,
    callbackId,
  )
  const run =
    step &&
    (await read.get<RunRow>(
      'SELECT * FROM flow_run WHERE channel_arn = $1 AND message_id = $2 AND revision = $3',
      channelArn,
      step.message_id,
      step.revision,
    ))
  if (!step || !run) throw forbidden()
  const message: MessageRow | undefined = await findMessage(read, channelArn, step.message_id)
  return { step, run, message }
}

/** Open when it was read and over when it came to be written: somebody else's verdict was first. */
async function decide(
  turn: Turn,
  result: Parameters<typeof changeOf>[1],
  deny: boolean,
  context: Context,
  now: number,
): Promise<void> {
  const change = changeOf(turn, result, context.lease, now)
  if (change?.kind !== 'DecideStep') throw new Error('a verdict decides its step')
  const outcome = await context.store.commit(change)
  if (outcome.result === 'refused') throw conflict('Another callback for this message was processed at the same time')
  const { channel_arn: channelArn, message_id: messageId } = turn.step
  const processor = processorsOf(turn.run)[turn.step.position]?.name
  const facts = {
    channelArn,
    messageId,
    processor,
    changed: change.step.changes_json !== null,
    runState: change.run.state,
  }
  if (deny) context.log.info(facts, 'message denied')
  else context.log.debug(facts, 'message allowed')
}
