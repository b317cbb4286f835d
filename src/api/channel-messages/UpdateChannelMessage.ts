import { conflict, forbidden } from '../../contract/api-error.ts'
import { bearer, optional, path } from '../../contract/binding.ts'
import {
  type ChannelMessageType,
  ChimeArn,
  ContentType,
  MessageId,
  Metadata,
  NonEmptyContent,
  SubChannelId,
} from '../../contract/shapes.ts'
import { ChannelMessageStatusStructure } from '../../contract/structures/channel-messages.ts'
import { type FlowSnapshot, startRun } from '../../flow/decision.ts'
import type { AcceptUpdate } from '../../store/changes.ts'
import { audienceOf, changeTime, senderOnly, textOf } from '../../store/message-row.ts'
import type { MessageRow, MessageText } from '../../store/tables.ts'
import { mayActInChannel } from '../access.ts'
import { requireTypePasses } from '../app-instances/flow-policy.ts'
import { snapshotFlow } from '../channel-flows/channel-flow.ts'
import { type Context, operation } from '../context.ts'
import { rejectSubChannel } from '../sub-channels.ts'
import { changesOf, findMessage, requireTextSize, statusToWire } from './channel-message.ts'

/** The sender replaces the text of a sent message. While a flow holds the new text, members see the old one. */
export const UpdateChannelMessage = operation({
  name: 'UpdateChannelMessage',
  http: 'PUT /channels/{ChannelArn}/messages/{MessageId} 200',
  input: {
    ChannelArn: path(ChimeArn),
    MessageId: path(MessageId),
    ChimeBearer: bearer(),
    Content: NonEmptyContent,
    Metadata: optional(Metadata),
    SubChannelId: optional(SubChannelId),
    ContentType: optional(ContentType),
  },
  output: {
    ChannelArn: optional(ChimeArn),
    MessageId: optional(MessageId),
    Status: optional(ChannelMessageStatusStructure),
    SubChannelId: optional(SubChannelId),
  },
  errors: ['BadRequest', 'Conflict', 'Forbidden'],
  resources: ['ChimeBearer', 'ChannelArn'],
  rate: 'messages',
  allow: mayActInChannel,
  async handle(input, context, { channel, bearer: sender, membership, policy }) {
    const { ChannelArn, MessageId } = input
    rejectSubChannel(input.SubChannelId)
    const message = await findMessage(context.read, channel.channel_id, MessageId)
    if (message?.sender_id !== sender.user_id) throw forbidden()
    requireTypePasses(message.type as ChannelMessageType, policy, context)
    requireTextSize(input, message.type as ChannelMessageType)
    requireUpdatable(message)
    const text = { ...textOf(message), ...changesOf(input) }
    const flow = message.type === 'STANDARD' ? await snapshotFlow(context.read, channel.channel_id) : undefined
    const channelFlowArn = message.type === 'STANDARD' ? (flow?.channelFlowArn ?? null) : undefined
    const write = async () => {
      const now = context.now()
      const update = flow ? heldUpdate(message, text, flow, context, now) : updateAtOnce(message, text, now)
      return {
        shown: update.shown,
        outcome: await context.store.commit({ ...update, channelFlowArn, asMember: membership !== undefined }),
      }
    }
    // Only an update that a flow will hold needs admission: it is new work for the processors.
    const { shown, outcome } = await (flow ? context.admission.run(ChannelArn, flow, write) : write())
    if (outcome.result === 'rejected')
      throw conflict('The message or the flow of its channel was changed at the same time')
    return { ChannelArn, MessageId, Status: statusToWire(shown) }
  },
})

function requireUpdatable(message: MessageRow): void {
  if (message.status !== 'SENT') throw conflict(`A message that is ${message.status} cannot be updated`)
  if (message.redacted) throw conflict('A redacted message cannot be updated')
  if (message.update_status === 'PENDING') throw conflict('Another update of the message is in processing')
}

type Update = Omit<AcceptUpdate, 'channelFlowArn' | 'asMember'>

/** All members receive the new text at once. */
function updateAtOnce(before: MessageRow, text: MessageText, now: number): Update {
  const message: MessageRow = {
    ...before,
    ...text,
    revision: before.revision + 1,
    edited_at: now,
    updated_at: changeTime(before, now),
    update_status: null,
    update_detail: null,
  }
  const event = { eventType: 'UPDATE_CHANNEL_MESSAGE', audience: audienceOf(message) } as const
  return { kind: 'AcceptUpdate', message, shown: message, event, flow: undefined, now }
}

/** The run has the new text, and the sender receives it; the message keeps the old one. */
function heldUpdate(before: MessageRow, text: MessageText, flow: FlowSnapshot, context: Context, now: number): Update {
  const next = { ...before, revision: before.revision + 1 }
  const message: MessageRow = { ...next, update_status: 'PENDING', update_detail: null }
  const shown: MessageRow = { ...next, ...text, status: 'PENDING', edited_at: now }
  const event = { eventType: 'PENDING_UPDATE_CHANNEL_MESSAGE', audience: senderOnly(message) } as const
  const run = startRun(message, text, flow, context.node, { ...context, now })
  return { kind: 'AcceptUpdate', message, shown, event, flow: run, now }
}
