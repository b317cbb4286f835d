import type { Operation } from '../contract/operation.ts'
import { CreateAppInstanceUser } from './app-instance-users/CreateAppInstanceUser.ts'
import { DescribeAppInstanceUser } from './app-instance-users/DescribeAppInstanceUser.ts'
import { CreateAppInstance } from './app-instances/CreateAppInstance.ts'
import { CreateAppInstanceAdmin } from './app-instances/CreateAppInstanceAdmin.ts'
import { DescribeAppInstance } from './app-instances/DescribeAppInstance.ts'
import { AssociateChannelFlow } from './channel-flows/AssociateChannelFlow.ts'
import { ChannelFlowCallback } from './channel-flows/ChannelFlowCallback.ts'
import { CreateChannelFlow } from './channel-flows/CreateChannelFlow.ts'
import { DeleteChannelFlow } from './channel-flows/DeleteChannelFlow.ts'
import { DescribeChannelFlow } from './channel-flows/DescribeChannelFlow.ts'
import { DisassociateChannelFlow } from './channel-flows/DisassociateChannelFlow.ts'
import { ListChannelFlows } from './channel-flows/ListChannelFlows.ts'
import { UpdateChannelFlow } from './channel-flows/UpdateChannelFlow.ts'
import { CreateChannelMembership } from './channel-memberships/CreateChannelMembership.ts'
import { DeleteChannelMembership } from './channel-memberships/DeleteChannelMembership.ts'
import { ListChannelMemberships } from './channel-memberships/ListChannelMemberships.ts'
import { DeleteChannelMessage } from './channel-messages/DeleteChannelMessage.ts'
import { GetChannelMessage } from './channel-messages/GetChannelMessage.ts'
import { GetChannelMessageStatus } from './channel-messages/GetChannelMessageStatus.ts'
import { ListChannelMessages } from './channel-messages/ListChannelMessages.ts'
import { RedactChannelMessage } from './channel-messages/RedactChannelMessage.ts'
import { SendChannelMessage } from './channel-messages/SendChannelMessage.ts'
import { UpdateChannelMessage } from './channel-messages/UpdateChannelMessage.ts'
import { CreateChannel } from './channels/CreateChannel.ts'
import { DeleteChannel } from './channels/DeleteChannel.ts'
import { DescribeChannel } from './channels/DescribeChannel.ts'
import { UpdateChannel } from './channels/UpdateChannel.ts'
import type { Context } from './context.ts'
import { GetMessagingSessionEndpoint } from './messaging-sessions/GetMessagingSessionEndpoint.ts'

/** Every operation this server knows. */
export const operations: Operation<Context>[] = [
  CreateAppInstance,
  DescribeAppInstance,
  CreateAppInstanceAdmin,
  CreateAppInstanceUser,
  DescribeAppInstanceUser,

  CreateChannel,
  DescribeChannel,
  UpdateChannel,
  DeleteChannel,
  CreateChannelMembership,
  ListChannelMemberships,
  DeleteChannelMembership,

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
  ChannelFlowCallback,

  GetMessagingSessionEndpoint,
]
