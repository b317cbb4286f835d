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
import { findBearer } from '../access.ts'
import { type AppInstanceUserRow, findUserOf, identityOf } from '../app-instance-users/app-instance-user.ts'
import { addMember } from '../channel-memberships/channel-membership.ts'
import { operation } from '../context.ts'
import { once } from '../idempotency.ts'
import { toJson, toJsonText } from '../json-text.ts'
import { insertTags, readExtensionTags } from '../tags.ts'

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
    const user = await findBearer(read, ChimeBearer)
    if (user.app_instance_arn !== AppInstanceArn) throw forbidden()
    return user
  },
  async handle(input, context, creator) {
    if (input.ElasticChannelConfiguration) throw badRequest('This server has no elastic channels yet')
    if (input.ExpirationSettings)
      throw badRequest('ExpirationSettings: this server does not delete expired channels yet')
    readExtensionTags(input.Tags, {})
    const { AppInstanceArn, ChimeBearer, ClientRequestToken: token } = input
    const call = { operation: 'CreateChannel', scope: AppInstanceArn, caller: ChimeBearer, token, parameters: input }
    return once(context, call, async (transaction) => {
      const arn = channelArn(AppInstanceArn, input.ChannelId ?? context.newId())
      await insertChannel(transaction, arn, input, creator, context.now())
      await insertTags(transaction, arn, input.Tags)
      await addPeople(transaction, arn, input, creator, context.now())
      return { ChannelArn: arn }
    })
  },
})

interface NewChannel {
  AppInstanceArn: string
  Name: string
  Mode?: ChannelMode
  Privacy?: ChannelPrivacy
  Metadata?: string
}

async function insertChannel(
  transaction: Transaction,
  arn: string,
  channel: NewChannel,
  creator: AppInstanceUserRow,
  now: number,
): Promise<void> {
  const inserted = await transaction.run(
    `INSERT INTO channel (channel_arn, app_instance_arn, name, mode, privacy, metadata,
       created_by_arn, created_by_name, created_at, updated_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $9) ON CONFLICT DO NOTHING`,
    arn,
    channel.AppInstanceArn,
    toJsonText(channel.Name),
    channel.Mode ?? defaultMode,
    channel.Privacy ?? defaultPrivacy,
    toJson(channel.Metadata),
    creator.app_instance_user_arn,
    creator.name,
    now,
  )
  if (inserted === 0) throw conflict('A channel with this ChannelId exists already')
  await transaction.run('INSERT INTO channel_head VALUES ($1, 1, $2, NULL)', arn, now)
}

async function addPeople(
  transaction: Transaction,
  arn: string,
  {
    AppInstanceArn,
    MemberArns,
    ModeratorArns,
  }: { AppInstanceArn: string; MemberArns?: string[]; ModeratorArns?: string[] },
  creator: AppInstanceUserRow,
  now: number,
): Promise<void> {
  const invitedBy = identityOf(creator)
  for (const memberArn of new Set([invitedBy.Arn, ...(MemberArns ?? [])])) {
    const member = identityOf(await findUserOf(transaction, AppInstanceArn, memberArn))
    await addMember(transaction, { channelArn: arn, member, type: 'DEFAULT', invitedBy, now })
  }
  for (const moderatorArn of new Set([invitedBy.Arn, ...(ModeratorArns ?? [])])) {
    await findUserOf(transaction, AppInstanceArn, moderatorArn)
    await transaction.run(
      'INSERT INTO channel_moderator VALUES ($1, $2, $3, $4, $5)',
      arn,
      moderatorArn,
      creator.app_instance_user_arn,
      creator.name,
      now,
    )
  }
}
