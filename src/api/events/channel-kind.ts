import type { EventKind } from '../../events/event-kind.ts'
import type { ChannelRow } from '../../store/tables.ts'
import { channelToWire } from '../channels/channel.ts'
import { isoText } from '../times.ts'

/** A channel without its row. */
type GoneChannel = Pick<ChannelRow, 'channel_arn'>

type ChannelKind = EventKind<ChannelRow, ChannelRow | GoneChannel>

/** The common part of the events about a channel. The payload is AWS's Channel. */
export const channelKind = (kind: Pick<ChannelKind, 'eventType'> & Partial<ChannelKind>): ChannelKind => ({
  heardOn: 'both',
  reference: ({ channel_arn }) => ({ subject: channel_arn, revision: 0 }),
  audience: () => ({ to: 'members' }),
  messageType: () => 'SYSTEM',
  payload: (channel) =>
    'channel_id' in channel ? channelToWire(channel, isoText) : { ChannelArn: channel.channel_arn },
  fromLog: ({ channel_arn }, { channel }) => channel ?? { channel_arn },
  ...kind,
})
