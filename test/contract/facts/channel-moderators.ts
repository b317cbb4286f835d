import type { Operations, Structures } from './notation.ts'

export const operations: Operations = {
  CreateChannelModerator: {
    http: 'POST /channels/{ChannelArn}/moderators 201',
    input: {
      ChannelArn: 'path ChimeArn!',
      ChannelModeratorArn: 'ChimeArn!',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
    },
    output: { ChannelArn: 'ChimeArn', ChannelModerator: 'Identity' },
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  },
  DescribeChannelModerator: {
    http: 'GET /channels/{ChannelArn}/moderators/{ChannelModeratorArn} 200',
    input: {
      ChannelArn: 'path ChimeArn!',
      ChannelModeratorArn: 'path ChimeArn!',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
    },
    output: { ChannelModerator: 'ChannelModerator' },
    errors: ['BadRequest', 'Forbidden', 'NotFound'],
  },
  ListChannelModerators: {
    http: 'GET /channels/{ChannelArn}/moderators 200',
    input: {
      ChannelArn: 'path ChimeArn!',
      MaxResults: 'query max-results MaxResults',
      NextToken: 'query next-token NextToken',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
    },
    output: { ChannelArn: 'ChimeArn', NextToken: 'NextToken', ChannelModerators: 'ChannelModeratorSummaryList' },
    errors: ['BadRequest', 'Forbidden'],
  },
  DeleteChannelModerator: {
    http: 'DELETE /channels/{ChannelArn}/moderators/{ChannelModeratorArn} 204',
    input: {
      ChannelArn: 'path ChimeArn!',
      ChannelModeratorArn: 'path ChimeArn!',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
    },
    output: {},
    errors: ['BadRequest', 'Forbidden'],
  },
  DescribeChannelModeratedByAppInstanceUser: {
    http: 'GET /channels/{ChannelArn}?scope=app-instance-user-moderated-channel 200',
    input: {
      ChannelArn: 'path ChimeArn!',
      AppInstanceUserArn: 'query app-instance-user-arn ChimeArn!',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
    },
    output: { Channel: 'ChannelModeratedByAppInstanceUserSummary' },
    errors: ['BadRequest', 'Forbidden'],
  },
  ListChannelsModeratedByAppInstanceUser: {
    http: 'GET /channels?scope=app-instance-user-moderated-channels 200',
    input: {
      AppInstanceUserArn: 'query app-instance-user-arn ChimeArn',
      MaxResults: 'query max-results MaxResults',
      NextToken: 'query next-token NextToken',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
    },
    output: { Channels: 'ChannelModeratedByAppInstanceUserSummaryList', NextToken: 'NextToken' },
    errors: ['BadRequest', 'Forbidden'],
  },
}

export const structures: Structures = {
  ChannelModerator: {
    Moderator: 'Identity',
    ChannelArn: 'ChimeArn',
    CreatedTimestamp: 'Timestamp',
    CreatedBy: 'Identity',
  },
  ChannelModeratorSummary: { Moderator: 'Identity' },
  ChannelModeratedByAppInstanceUserSummary: { ChannelSummary: 'ChannelSummary' },
}
