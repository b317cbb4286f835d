import * as appInstanceBots from './facts/app-instance-bots.ts'
import * as appInstanceUserEndpoints from './facts/app-instance-user-endpoints.ts'
import * as appInstanceUsers from './facts/app-instance-users.ts'
import * as appInstances from './facts/app-instances.ts'
import * as channelBans from './facts/channel-bans.ts'
import * as channelFlows from './facts/channel-flows.ts'
import * as channelMemberships from './facts/channel-memberships.ts'
import * as channelMessages from './facts/channel-messages.ts'
import * as channelModerators from './facts/channel-moderators.ts'
import * as channels from './facts/channels.ts'
import * as messagingSessions from './facts/messaging-sessions.ts'
import * as messagingStreaming from './facts/messaging-streaming.ts'
import type { Operations, Structures } from './facts/notation.ts'
import * as tags from './facts/tags.ts'

const resources = [
  appInstances,
  appInstanceUsers,
  appInstanceUserEndpoints,
  appInstanceBots,
  channels,
  channelMemberships,
  channelModerators,
  channelBans,
  channelMessages,
  channelFlows,
  messagingSessions,
  messagingStreaming,
  tags,
]

export const operationFacts: Operations = Object.assign({}, ...resources.map(({ operations }) => operations))
export const structureFacts: Structures = Object.assign({}, ...resources.map(({ structures }) => structures))
