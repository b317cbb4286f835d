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
import {
  ChannelMemberArns,
  ChannelModeratorArns,
  ElasticChannelConfiguration,
  ExpirationSettings,
} from '../../contract/structures/channels.ts'
import { TagList } from '../../contract/structures/tags.ts'
import type { Transaction } from '../../store/store.ts'
import type { ChannelRow } from '../../store/tables.ts'
import { requireBearer } from '../access.ts'
import { type AppInstanceUserRow, requireUserOf } from '../app-instance-users/app-instance-user.ts'
import { readFlowPolicy, requireChannelTextPasses } from '../app-instances/flow-policy.ts'
import { addCounted, countMembershipOf } from '../channel-memberships/channel-membership.ts'
import { insertRole, moderator } from '../channel-role.ts'
import { operation } from '../context.ts'
import { once } from '../idempotency.ts'
import { toJson, toJsonText } from '../json-text.ts'
import { putTags, requirePlainTags } from '../tags/tag.ts'
import { expirationColumns, scheduleExpiration } from './channel-expiration.ts'

/** AWS documents no defaults for Mode and Privacy; these are the restrictive ones. */
const defaultMode = 'RESTRICTED'
const defaultPrivacy = 'PRIVATE'

/** Any user of the AppInstance may create a channel. It becomes the channel's first member and moderator. */
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
    MemberArns: optional(ChannelMemberArns),
    ModeratorArns: optional(ChannelModeratorArns),
    ElasticChannelConfiguration: optional(ElasticChannelConfiguration),
    ExpirationSettings: optional(ExpirationSettings),
  },
  output: { ChannelArn: optional(ChimeArn) },
  errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  resources: ['ChimeBearer', 'AppInstanceArn'],
  tokenScope: 'AppInstanceArn',
  async allow({ AppInstanceArn, ChimeBearer }, { read }) {
    const user = await requireBearer(read, ChimeBearer)
    if (user.app_instance_arn !== AppInstanceArn) throw forbidden()
    return user
  },
  async handle(input, context, creator) {
    if (input.ElasticChannelConfiguration) throw badRequest('This server has no elastic channels yet')
    requirePlainTags(input.Tags)
    return once(input, context, async (transaction, now) => {
      const policy = await readFlowPolicy(transaction, input.AppInstanceArn)
      requireChannelTextPasses(policy, context)
      const arn = channelArn(input.AppInstanceArn, input.ChannelId ?? context.newId())
      const channel = await insertChannel(transaction, {
        ...newChannel(arn, input, creator, now),
        channel_flow_arn: policy?.required_flow_arn ?? policy?.default_flow_arn ?? null,
      })
      if (input.ExpirationSettings) await scheduleExpiration(transaction, { ...channel, last_message_at: null })
      await putTags(transaction, arn, input.Tags)
      await addMembers(transaction, channel, creator, input.MemberArns)
      await addModerators(transaction, channel, creator, input.ModeratorArns)
      return { ChannelArn: arn }
    })
  },
})

/** The columns of table channel: the head row has the number and the time of the last message. */
type NewChannel = Omit<ChannelRow, 'channel_id' | 'last_message_at'>
type CreatedChannel = NewChannel & Pick<ChannelRow, 'channel_id'>

const newChannel = (
  arn: string,
  input: {
    Name: string
    Mode?: ChannelMode
    Privacy?: ChannelPrivacy
    Metadata?: string
    ExpirationSettings?: ExpirationSettings
  },
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
  ...expirationColumns(input.ExpirationSettings),
})

/**
 * The numbers and times of a deleted channel with this ARN continue: otherwise a node that has missed the deletion would
 * confuse the logs of the two incarnations. A channel that is not deleted is a Conflict. The head row decides, not the
 * channel's row: if the channel is deleted during this transaction, PostgreSQL already hides its row, but the head that
 * was read would not have the number of the deletion yet.
 */
async function insertChannel(transaction: Transaction, channel: NewChannel): Promise<CreatedChannel> {
  const head = await transaction.get<Pick<ChannelRow, 'channel_id'>>(
    `INSERT INTO channel_head (channel_arn, next_seq, last_created_at, members)
     SELECT $1, coalesce(max(next_seq), 1), CASE WHEN max(last_created_at) > $2 THEN max(last_created_at) ELSE $2 END, 0
     FROM channel_head WHERE channel_arn = $1 HAVING count(*) = count(deleted_at) RETURNING channel_id`,
    channel.channel_arn,
    channel.created_at,
  )
  const created = head && { ...channel, channel_id: head.channel_id }
  if (created && (await transaction.insertOnce('channel', created))) return created
  throw conflict('A channel with this ChannelId exists already')
}

/** The creator first, and each user once, without duplicates. */
const people = (creator: AppInstanceUserRow, arns: string[] = []) => new Set([creator.app_instance_user_arn, ...arns])

async function addMembers(
  transaction: Transaction,
  channel: CreatedChannel,
  creator: AppInstanceUserRow,
  arns: string[] | undefined,
): Promise<void> {
  const members: AppInstanceUserRow[] = []
  for (const arn of people(creator, arns)) {
    members.push(await requireUserOf(transaction, channel.app_instance_arn, arn))
  }
  // In lock order: two calls with the same users would otherwise deadlock.
  const counts = new Map<number, number>()
  for (const { user_id } of members.toSorted((a, b) => a.user_id - b.user_id)) {
    counts.set(user_id, await countMembershipOf(transaction, user_id))
  }
  for (const member of members) {
    const memberships = counts.get(member.user_id) as number
    await addCounted(transaction, {
      channel,
      member,
      memberships,
      type: 'DEFAULT',
      invitedBy: creator,
      now: channel.created_at,
    })
  }
}

async function addModerators(
  transaction: Transaction,
  channel: CreatedChannel,
  creator: AppInstanceUserRow,
  arns: string[] | undefined,
): Promise<void> {
  for (const arn of people(creator, arns)) {
    const user = await requireUserOf(transaction, channel.app_instance_arn, arn)
    const { channel_id, created_at: now } = channel
    await insertRole(transaction, moderator, { channel_id, user, createdBy: creator, now })
  }
}
