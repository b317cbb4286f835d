import { channelKind } from './channel-kind.ts'

/** The last event of a channel. */
export const deleteChannel = channelKind({
  eventType: 'DELETE_CHANNEL',
  erasesText: true,
  effect: () => ({ closes: true }),
})
