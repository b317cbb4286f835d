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

/** By the name that the documents give the resource. */
export const resources: Record<string, { operations: Operations; structures: Structures }> = {
  AppInstances: appInstances,
  Users: appInstanceUsers,
  Endpoints: appInstanceUserEndpoints,
  Bots: appInstanceBots,
  Channels: channels,
  Memberships: channelMemberships,
  Moderators: channelModerators,
  Bans: channelBans,
  Messages: channelMessages,
  'Channel flows': channelFlows,
  Sessions: messagingSessions,
  Streaming: messagingStreaming,
  Tags: tags,
}

const facts = Object.values(resources)
export const operationFacts: Operations = Object.assign({}, ...facts.map(({ operations }) => operations))
export const structureFacts: Structures = Object.assign({}, ...facts.map(({ structures }) => structures))
