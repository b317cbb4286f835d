import Type from 'typebox'
import { badRequest, conflict, forbidden } from '../../contract/api-error.ts'
import { channelArn } from '../../contract/arn.ts'
import { bearer, idempotencyToken, optional } from '../../contract/binding.ts'
import {
  ChannelId,
  ChannelMode,
  ChannelPrivacy,
  ChimeArn,
  ClientRequestToken,
  Metadata,
  NonEmptyResourceName,
} from '../../contract/shapes.ts'
import { ElasticChannelConfiguration, ExpirationSettings, TagList } from '../../contract/structures.ts'
import type { Transaction } from '../../store/store.ts'
import type { ChannelRow } from '../../store/tables.ts'
import { requireBearer } from '../access.ts'
import { type AppInstanceUserRow, requireUserOf } from '../app-instance-users/app-instance-user.ts'
import { addMember } from '../channel-memberships/channel-membership.ts'
import { operation } from '../context.ts'
import { once } from '../idempotency.ts'
import { toJson, toJsonText } from '../json-text.ts'
import { insertTags, requirePlainTags } from '../tags.ts'

/** AWS names no defaults for Mode and Privacy; these are the cautious ones. */
const defaultMode = 'RESTRICTED'
const defaultPrivacy = 'PRIVATE'

/** Any user of the AppInstance may; it becomes the channel's first member and moderator. */
export const CreateChannel = operation({
  name: 'CreateChannel',
  http: 'POST /channels 201',
  input: {
    ChimeBearer: bearer(),
    AppInstanceArn: ChimeArn,
    Name: NonEmptyResourceName,
    Mode: optional(ChannelMode),
    Privacy: optional(ChannelPrivacy),
    Metadata: optional(Metadata),
    ClientRequestToken: idempotencyToken(ClientRequestToken),
    Tags: optional(TagList),
    ChannelId: optional(ChannelId),
    MemberArns: optional(Type.Array(ChimeArn, { minItems: 1, maxItems: 10 })),
    ModeratorArns: optional(Type.Array(ChimeArn, { minItems: 1, maxItems: 10 })),
    ElasticChannelConfiguration: optional(ElasticChannelConfiguration),
    ExpirationSettings: optional(ExpirationSettings),
  },
  output: { ChannelArn: optional(ChimeArn) },
  errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  async allow({ AppInstanceArn, ChimeBearer }, { read }) {
    const user = await requireBearer(read, ChimeBearer)
    if (user.app_instance_arn !== AppInstanceArn) throw forbidden()
    return user
  },
  async handle(input, context, creator) {
    if (input.ElasticChannelConfiguration) throw badRequest('This server has no elastic channels yet')
    if (input.ExpirationSettings)
      throw badRequest('ExpirationSettings: this server does not delete expired channels yet')
    requirePlainTags(input.Tags)
    return once('CreateChannel', input, context, async (transaction) => {
      const arn = channelArn(input.AppInstanceArn, input.ChannelId ?? context.newId())
      const channel = newChannel(arn, input, creator, context.now())
      await insertChannel(transaction, channel)
      await insertTags(transaction, arn, input.Tags)
      await addMembers(transaction, channel, creator, input.MemberArns)
      await addModerators(transaction, channel, creator, input.ModeratorArns)
      return { ChannelArn: arn }
    })
  },
})

/** The channel's own row: its head row says when the last message was. */
type NewChannel = Omit<ChannelRow, 'last_message_at'>

const newChannel = (
  arn: string,
  input: { Name: string; Mode?: ChannelMode; Privacy?: ChannelPrivacy; Metadata?: string },
  creator: AppInstanceUserRow,
  now: number,
): NewChannel => ({
  channel_arn: arn,
  app_instance_arn: creator.app_instance_arn,
  name: toJsonText(input.Name),
  mode: input.Mode ?? defaultMode,
  privacy: input.Privacy ?? defaultPrivacy,
  metadata: toJson(input.Metadata),
  channel_flow_arn: null,
  created_by_arn: creator.app_instance_user_arn,
  created_by_name: creator.name,
  created_at: now,
  updated_at: now,
})

async function insertChannel(transaction: Transaction, channel: NewChannel): Promise<void> {
  if (!(await transaction.insertOnce('channel', channel))) {
    throw conflict('A channel with this ChannelId exists already')
  }
  await transaction.insert('channel_head', {
    channel_arn: channel.channel_arn,
    next_seq: 1,
    last_created_at: channel.created_at,
    last_message_at: null,
  })
}

/** The creator first, and everybody once, however often the caller names them. */
const people = (creator: AppInstanceUserRow, arns: string[] = []) => new Set([creator.app_instance_user_arn, ...arns])

async function addMembers(
  transaction: Transaction,
  channel: NewChannel,
  creator: AppInstanceUserRow,
  arns: string[] | undefined,
): Promise<void> {
  for (const arn of people(creator, arns)) {
    const member = await requireUserOf(transaction, channel.app_instance_arn, arn)
    await addMember(transaction, {
      channelArn: channel.channel_arn,
      member,
      type: 'DEFAULT',
      invitedBy: creator,
      now: channel.created_at,
    })
  }
}

async function addModerators(
  transaction: Transaction,
  channel: NewChannel,
  creator: AppInstanceUserRow,
  arns: string[] | undefined,
): Promise<void> {
  for (const arn of people(creator, arns)) {
    await requireUserOf(transaction, channel.app_instance_arn, arn)
    await transaction.insert('channel_moderator', {
      channel_arn: channel.channel_arn,
      moderator_arn: arn,
      created_by_arn: creator.app_instance_user_arn,
      created_by_name: creator.name,
      created_at: channel.created_at,
    })
  }
}
