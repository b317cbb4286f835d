import { channelKind } from './channel-kind.ts'

/** Clients replace the channel that they know by the payload. */
export const updateChannel = channelKind({ eventType: 'UPDATE_CHANNEL' })
