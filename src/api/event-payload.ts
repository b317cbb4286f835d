import type { ChannelEvent } from '../store/tables.ts'
import { membershipPayload } from './channel-memberships/channel-membership.ts'
import { messageToWire } from './channel-messages/channel-message.ts'
import { isoText } from './times.ts'

/** What a session is told of an event, in AWS's shape for its type (developer guide, "Using websockets"). */
export const eventPayload = (event: ChannelEvent): object =>
  'message' in event.about ? messageToWire(event.about.message, isoText) : membershipPayload(event)
