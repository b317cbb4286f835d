import type { ChannelRow, MembershipRow } from '../../store/tables.ts'
import { channelSummary } from '../channels/channel.ts'
import { fromJsonText } from '../json-text.ts'
import { epochSeconds, type WriteTime } from '../times.ts'

export const inviterIdentity = (row: MembershipRow) => ({
  Arn: row.invited_by_arn,
  Name: fromJsonText(row.invited_by_name),
})

/** AWS's ChannelMembership. */
export const membershipToWire = <Time>(row: MembershipRow, time: WriteTime<Time>) => ({
  ChannelArn: row.channel_arn,
  Member: { Arn: row.member_arn, Name: fromJsonText(row.member_name) },
  InvitedBy: inviterIdentity(row),
  Type: row.type,
  CreatedTimestamp: time(row.created_at),
  LastUpdatedTimestamp: time(row.updated_at),
})

/** A channel with the membership of one of its members. */
export type JoinedChannelRow = ChannelRow & Pick<MembershipRow, 'type' | 'read_marker_at'>

/** AWS's ChannelMembershipForAppInstanceUserSummary. Only the owner of the membership may see the read marker. */
export const joinedChannelSummary = (row: JoinedChannelRow, { isOwner }: { isOwner: boolean }) => ({
  ChannelSummary: channelSummary(row, epochSeconds),
  AppInstanceUserMembershipSummary: {
    Type: row.type,
    ReadMarkerTimestamp: isOwner && row.read_marker_at !== null ? epochSeconds(row.read_marker_at) : undefined,
  },
})
