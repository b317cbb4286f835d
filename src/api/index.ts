import type { Operation } from '../contract/operation.ts'
import { CreateAppInstanceUser } from './app-instance-users/CreateAppInstanceUser.ts'
import { DeleteAppInstanceUser } from './app-instance-users/DeleteAppInstanceUser.ts'
import { DescribeAppInstanceUser } from './app-instance-users/DescribeAppInstanceUser.ts'
import { ListAppInstanceUsers } from './app-instance-users/ListAppInstanceUsers.ts'
import { PutAppInstanceUserExpirationSettings } from './app-instance-users/PutAppInstanceUserExpirationSettings.ts'
import { UpdateAppInstanceUser } from './app-instance-users/UpdateAppInstanceUser.ts'
import { CreateAppInstance } from './app-instances/CreateAppInstance.ts'
import { CreateAppInstanceAdmin } from './app-instances/CreateAppInstanceAdmin.ts'
import { DeleteAppInstance } from './app-instances/DeleteAppInstance.ts'
import { DeleteAppInstanceAdmin } from './app-instances/DeleteAppInstanceAdmin.ts'
import { DescribeAppInstance } from './app-instances/DescribeAppInstance.ts'
import { DescribeAppInstanceAdmin } from './app-instances/DescribeAppInstanceAdmin.ts'
import { GetAppInstanceRetentionSettings } from './app-instances/GetAppInstanceRetentionSettings.ts'
import { ListAppInstanceAdmins } from './app-instances/ListAppInstanceAdmins.ts'
import { ListAppInstances } from './app-instances/ListAppInstances.ts'
import { PutAppInstanceRetentionSettings } from './app-instances/PutAppInstanceRetentionSettings.ts'
import { UpdateAppInstance } from './app-instances/UpdateAppInstance.ts'
import { ListAuditEvents } from './audit/ListAuditEvents.ts'
import { CreateChannelBan } from './channel-bans/CreateChannelBan.ts'
import { DeleteChannelBan } from './channel-bans/DeleteChannelBan.ts'
import { DescribeChannelBan } from './channel-bans/DescribeChannelBan.ts'
import { ListChannelBans } from './channel-bans/ListChannelBans.ts'
import { AssociateChannelFlow } from './channel-flows/AssociateChannelFlow.ts'
import { ChannelFlowCallback } from './channel-flows/ChannelFlowCallback.ts'
import { CreateChannelFlow } from './channel-flows/CreateChannelFlow.ts'
import { DeleteChannelFlow } from './channel-flows/DeleteChannelFlow.ts'
import { DescribeChannelFlow } from './channel-flows/DescribeChannelFlow.ts'
import { DisassociateChannelFlow } from './channel-flows/DisassociateChannelFlow.ts'
import { GetFlowStatus } from './channel-flows/GetFlowStatus.ts'
import { ListChannelFlows } from './channel-flows/ListChannelFlows.ts'
import { ListChannelsAssociatedWithChannelFlow } from './channel-flows/ListChannelsAssociatedWithChannelFlow.ts'
import { UpdateChannelFlow } from './channel-flows/UpdateChannelFlow.ts'
import { BatchCreateChannelMembership } from './channel-memberships/BatchCreateChannelMembership.ts'
import { CreateChannelMembership } from './channel-memberships/CreateChannelMembership.ts'
import { DeleteChannelMembership } from './channel-memberships/DeleteChannelMembership.ts'
import { DescribeChannelMembership } from './channel-memberships/DescribeChannelMembership.ts'
import { DescribeChannelMembershipForAppInstanceUser } from './channel-memberships/DescribeChannelMembershipForAppInstanceUser.ts'
import { ListChannelMemberships } from './channel-memberships/ListChannelMemberships.ts'
import { ListChannelMembershipsForAppInstanceUser } from './channel-memberships/ListChannelMembershipsForAppInstanceUser.ts'
import { UpdateChannelReadMarker } from './channel-memberships/UpdateChannelReadMarker.ts'
import { DeleteChannelMessage } from './channel-messages/DeleteChannelMessage.ts'
import { GetChannelMessage } from './channel-messages/GetChannelMessage.ts'
import { GetChannelMessageStatus } from './channel-messages/GetChannelMessageStatus.ts'
import { ListChannelMessages } from './channel-messages/ListChannelMessages.ts'
import { ListMessages } from './channel-messages/ListMessages.ts'
import { RedactChannelMessage } from './channel-messages/RedactChannelMessage.ts'
import { SendChannelMessage } from './channel-messages/SendChannelMessage.ts'
import { UpdateChannelMessage } from './channel-messages/UpdateChannelMessage.ts'
import { CreateChannelModerator } from './channel-moderators/CreateChannelModerator.ts'
import { DeleteChannelModerator } from './channel-moderators/DeleteChannelModerator.ts'
import { DescribeChannelModeratedByAppInstanceUser } from './channel-moderators/DescribeChannelModeratedByAppInstanceUser.ts'
import { DescribeChannelModerator } from './channel-moderators/DescribeChannelModerator.ts'
import { ListChannelModerators } from './channel-moderators/ListChannelModerators.ts'
import { ListChannelsModeratedByAppInstanceUser } from './channel-moderators/ListChannelsModeratedByAppInstanceUser.ts'
import { CreateChannel } from './channels/CreateChannel.ts'
import { DeleteChannel } from './channels/DeleteChannel.ts'
import { DescribeChannel } from './channels/DescribeChannel.ts'
import { ListChannels } from './channels/ListChannels.ts'
import { PutChannelExpirationSettings } from './channels/PutChannelExpirationSettings.ts'
import { SearchChannels } from './channels/SearchChannels.ts'
import { UpdateChannel } from './channels/UpdateChannel.ts'
import type { Context } from './context.ts'
import { GetDiagnosis } from './diagnosis/GetDiagnosis.ts'
import { CompleteMessage } from './held-messages/CompleteMessage.ts'
import { DenyMessage } from './held-messages/DenyMessage.ts'
import { ExtendMessage } from './held-messages/ExtendMessage.ts'
import { FailMessage } from './held-messages/FailMessage.ts'
import { GetHeldMessage } from './held-messages/GetHeldMessage.ts'
import { ListFailedMessages } from './held-messages/ListFailedMessages.ts'
import { ListPendingMessages } from './held-messages/ListPendingMessages.ts'
import { RetryMessage } from './held-messages/RetryMessage.ts'
import { CreateKey } from './keys/CreateKey.ts'
import { DeleteKey } from './keys/DeleteKey.ts'
import { ListKeys } from './keys/ListKeys.ts'
import { ResumeKey } from './keys/ResumeKey.ts'
import { ResumeUser } from './keys/ResumeUser.ts'
import { SuspendKey } from './keys/SuspendKey.ts'
import { SuspendUser } from './keys/SuspendUser.ts'
import { GetMessagingSessionEndpoint } from './messaging-sessions/GetMessagingSessionEndpoint.ts'
import { ListProcessors } from './processors/ListProcessors.ts'
import { PauseProcessor } from './processors/PauseProcessor.ts'
import { ResumeProcessor } from './processors/ResumeProcessor.ts'
import { CreateRehearsal } from './rehearsals/CreateRehearsal.ts'
import { ListTagsForResource } from './tags/ListTagsForResource.ts'
import { TagResource } from './tags/TagResource.ts'
import { UntagResource } from './tags/UntagResource.ts'
import { GetMessageTimeline } from './timelines/GetMessageTimeline.ts'

/** Every operation of AWS that this server knows. */
export const operations: Operation<Context>[] = [
  CreateAppInstance,
  DescribeAppInstance,
  ListAppInstances,
  UpdateAppInstance,
  DeleteAppInstance,
  GetAppInstanceRetentionSettings,
  PutAppInstanceRetentionSettings,
  CreateAppInstanceAdmin,
  DescribeAppInstanceAdmin,
  ListAppInstanceAdmins,
  DeleteAppInstanceAdmin,
  CreateAppInstanceUser,
  DescribeAppInstanceUser,
  UpdateAppInstanceUser,
  DeleteAppInstanceUser,
  PutAppInstanceUserExpirationSettings,
  ListAppInstanceUsers,

  CreateChannel,
  DescribeChannel,
  ListChannels,
  UpdateChannel,
  DeleteChannel,
  SearchChannels,
  PutChannelExpirationSettings,
  CreateChannelMembership,
  BatchCreateChannelMembership,
  DescribeChannelMembership,
  ListChannelMemberships,
  ListChannelMembershipsForAppInstanceUser,
  DescribeChannelMembershipForAppInstanceUser,
  UpdateChannelReadMarker,
  DeleteChannelMembership,

  CreateChannelModerator,
  DescribeChannelModerator,
  ListChannelModerators,
  DeleteChannelModerator,
  ListChannelsModeratedByAppInstanceUser,
  DescribeChannelModeratedByAppInstanceUser,

  CreateChannelBan,
  DescribeChannelBan,
  ListChannelBans,
  DeleteChannelBan,

  SendChannelMessage,
  GetChannelMessage,
  GetChannelMessageStatus,
  ListChannelMessages,
  UpdateChannelMessage,
  RedactChannelMessage,
  DeleteChannelMessage,

  CreateChannelFlow,
  DescribeChannelFlow,
  ListChannelFlows,
  UpdateChannelFlow,
  DeleteChannelFlow,
  AssociateChannelFlow,
  DisassociateChannelFlow,
  ListChannelsAssociatedWithChannelFlow,
  ChannelFlowCallback,

  GetMessagingSessionEndpoint,

  TagResource,
  UntagResource,
  ListTagsForResource,
]

/** The server's own operations, for its operators. */
export const carillonOperations: Operation<Context>[] = [
  CreateKey,
  ListKeys,
  SuspendKey,
  ResumeKey,
  DeleteKey,
  SuspendUser,
  ResumeUser,

  GetMessageTimeline,
  ListMessages,
  GetHeldMessage,
  ListPendingMessages,
  ListFailedMessages,
  CompleteMessage,
  DenyMessage,
  ExtendMessage,
  FailMessage,
  RetryMessage,
  ListProcessors,
  PauseProcessor,
  ResumeProcessor,
  GetFlowStatus,
  CreateRehearsal,
  GetDiagnosis,

  ListAuditEvents,
]
