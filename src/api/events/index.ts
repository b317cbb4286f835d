import { kindsByName } from '../../events/event-kind.ts'
import { batchCreateChannelMembership } from './batch-create-channel-membership.ts'
import { createChannelMembership } from './create-channel-membership.ts'
import {
  createChannelMessage,
  deniedCreateChannelMessage,
  failedCreateChannelMessage,
  pendingCreateChannelMessage,
} from './create-channel-message.ts'
import { deleteChannel } from './delete-channel.ts'
import { deleteChannelMembership } from './delete-channel-membership.ts'
import { deleteChannelMessage } from './delete-channel-message.ts'
import { redactChannelMessage } from './redact-channel-message.ts'
import { updateChannel } from './update-channel.ts'
import {
  deniedUpdateChannelMessage,
  failedUpdateChannelMessage,
  pendingUpdateChannelMessage,
  updateChannelMessage,
} from './update-channel-message.ts'

/** Every kind of event in a channel log. */
export const eventKinds = kindsByName([
  createChannelMessage,
  pendingCreateChannelMessage,
  deniedCreateChannelMessage,
  failedCreateChannelMessage,
  updateChannelMessage,
  pendingUpdateChannelMessage,
  deniedUpdateChannelMessage,
  failedUpdateChannelMessage,
  redactChannelMessage,
  deleteChannelMessage,

  updateChannel,
  deleteChannel,

  createChannelMembership,
  batchCreateChannelMembership,
  deleteChannelMembership,
])
