import type { Operations, Structures } from './notation.ts'

export const operations: Operations = {
  CreateChannelMembership: {
    http: 'POST /channels/{ChannelArn}/memberships 201',
    input: {
      ChannelArn: 'path ChimeArn!',
      MemberArn: 'ChimeArn!',
      Type: 'ChannelMembershipType!',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
      SubChannelId: 'SubChannelId',
    },
    output: { ChannelArn: 'ChimeArn', Member: 'Identity', SubChannelId: 'SubChannelId' },
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'NotFound', 'ResourceLimitExceeded'],
  },
  BatchCreateChannelMembership: {
    http: 'POST /channels/{ChannelArn}/memberships?operation=batch-create 200',
    input: {
      ChannelArn: 'path ChimeArn!',
      Type: 'ChannelMembershipType',
      MemberArns: 'MemberArns!',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
      SubChannelId: 'SubChannelId',
    },
    output: { BatchChannelMemberships: 'BatchChannelMemberships', Errors: 'BatchCreateChannelMembershipErrors' },
    errors: ['BadRequest', 'Forbidden', 'NotFound', 'ResourceLimitExceeded'],
  },
  DescribeChannelMembership: {
    http: 'GET /channels/{ChannelArn}/memberships/{MemberArn} 200',
    input: {
      ChannelArn: 'path ChimeArn!',
      MemberArn: 'path ChimeArn!',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
      SubChannelId: 'query sub-channel-id SubChannelId',
    },
    output: { ChannelMembership: 'ChannelMembership' },
    errors: ['BadRequest', 'Forbidden', 'NotFound'],
  },
  ListChannelMemberships: {
    http: 'GET /channels/{ChannelArn}/memberships 200',
    input: {
      ChannelArn: 'path ChimeArn!',
      Type: 'query type ChannelMembershipType',
      MaxResults: 'query max-results MaxResults',
      NextToken: 'query next-token NextToken',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
      SubChannelId: 'query sub-channel-id SubChannelId',
    },
    output: { ChannelArn: 'ChimeArn', ChannelMemberships: 'ChannelMembershipSummaryList', NextToken: 'NextToken' },
    errors: ['BadRequest', 'Forbidden'],
  },
  DeleteChannelMembership: {
    http: 'DELETE /channels/{ChannelArn}/memberships/{MemberArn} 204',
    input: {
      ChannelArn: 'path ChimeArn!',
      MemberArn: 'path ChimeArn!',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
      SubChannelId: 'query sub-channel-id SubChannelId',
    },
    output: {},
    errors: ['BadRequest', 'Conflict', 'Forbidden'],
  },
  DescribeChannelMembershipForAppInstanceUser: {
    http: 'GET /channels/{ChannelArn}?scope=app-instance-user-membership 200',
    input: {
      ChannelArn: 'path ChimeArn!',
      AppInstanceUserArn: 'query app-instance-user-arn ChimeArn!',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
    },
    output: { ChannelMembership: 'ChannelMembershipForAppInstanceUserSummary' },
    errors: ['BadRequest', 'Forbidden'],
  },
  ListChannelMembershipsForAppInstanceUser: {
    http: 'GET /channels?scope=app-instance-user-memberships 200',
    input: {
      AppInstanceUserArn: 'query app-instance-user-arn ChimeArn',
      MaxResults: 'query max-results MaxResults',
      NextToken: 'query next-token NextToken',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
    },
    output: { ChannelMemberships: 'ChannelMembershipForAppInstanceUserSummaryList', NextToken: 'NextToken' },
    errors: ['BadRequest', 'Forbidden'],
  },
  UpdateChannelReadMarker: {
    http: 'PUT /channels/{ChannelArn}/readMarker 200',
    input: { ChannelArn: 'path ChimeArn!', ChimeBearer: 'header x-amz-chime-bearer ChimeArn!' },
    output: { ChannelArn: 'ChimeArn' },
    errors: ['BadRequest', 'Conflict', 'Forbidden'],
  },
  GetChannelMembershipPreferences: {
    http: 'GET /channels/{ChannelArn}/memberships/{MemberArn}/preferences 200',
    input: {
      ChannelArn: 'path ChimeArn!',
      MemberArn: 'path ChimeArn!',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
    },
    output: { ChannelArn: 'ChimeArn', Member: 'Identity', Preferences: 'ChannelMembershipPreferences' },
    errors: ['BadRequest', 'Forbidden'],
  },
  PutChannelMembershipPreferences: {
    http: 'PUT /channels/{ChannelArn}/memberships/{MemberArn}/preferences 200',
    input: {
      ChannelArn: 'path ChimeArn!',
      MemberArn: 'path ChimeArn!',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
      Preferences: 'ChannelMembershipPreferences!',
    },
    output: { ChannelArn: 'ChimeArn', Member: 'Identity', Preferences: 'ChannelMembershipPreferences' },
    errors: ['BadRequest', 'Conflict', 'Forbidden'],
  },
}

export const structures: Structures = {
  ChannelMembership: {
    InvitedBy: 'Identity',
    Type: 'ChannelMembershipType',
    Member: 'Identity',
    ChannelArn: 'ChimeArn',
    CreatedTimestamp: 'Timestamp',
    LastUpdatedTimestamp: 'Timestamp',
    SubChannelId: 'SubChannelId',
  },
  ChannelMembershipSummary: { Member: 'Identity' },
  BatchChannelMemberships: {
    InvitedBy: 'Identity',
    Type: 'ChannelMembershipType',
    Members: 'Members',
    ChannelArn: 'ChimeArn',
    SubChannelId: 'SubChannelId',
  },
  BatchCreateChannelMembershipError: { MemberArn: 'ChimeArn', ErrorCode: 'ErrorCode', ErrorMessage: 'String' },
  ChannelMembershipForAppInstanceUserSummary: {
    ChannelSummary: 'ChannelSummary',
    AppInstanceUserMembershipSummary: 'AppInstanceUserMembershipSummary',
  },
  AppInstanceUserMembershipSummary: {
    Type: 'ChannelMembershipType',
    ReadMarkerTimestamp: 'Timestamp',
    SubChannelId: 'SubChannelId',
  },
  ChannelMembershipPreferences: { PushNotifications: 'PushNotificationPreferences' },
  PushNotificationPreferences: { AllowNotifications: 'AllowNotifications!', FilterRule: 'FilterRule' },
}
