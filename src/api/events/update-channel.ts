import { channelKind } from './channel-kind.ts'

/** Clients replace their copy of the channel with the payload. */
export const updateChannel = channelKind({ eventType: 'UPDATE_CHANNEL' })
