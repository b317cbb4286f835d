import { badRequest } from '../contract/api-error.ts'

/** Rejects a SubChannelId: only elastic channels have sub-channels, and this server has no elastic channels yet. */
export function rejectSubChannel(subChannelId: string | undefined): void {
  if (subChannelId !== undefined) throw badRequest('SubChannelId is for elastic channels, and this channel is none')
}
