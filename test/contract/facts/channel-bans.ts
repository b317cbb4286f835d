import type { Operations, Structures } from './notation.ts'

export const operations: Operations = {
  CreateChannelBan: {
    http: 'POST /channels/{ChannelArn}/bans 201',
    input: { ChannelArn: 'path ChimeArn!', MemberArn: 'ChimeArn!', ChimeBearer: 'header x-amz-chime-bearer ChimeArn!' },
    output: { ChannelArn: 'ChimeArn', Member: 'Identity' },
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  },
  DescribeChannelBan: {
    http: 'GET /channels/{ChannelArn}/bans/{MemberArn} 200',
    input: {
      ChannelArn: 'path ChimeArn!',
      MemberArn: 'path ChimeArn!',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
    },
    output: { ChannelBan: 'ChannelBan' },
    errors: ['BadRequest', 'Forbidden', 'NotFound'],
  },
  ListChannelBans: {
    http: 'GET /channels/{ChannelArn}/bans 200',
    input: {
      ChannelArn: 'path ChimeArn!',
      MaxResults: 'query max-results MaxResults',
      NextToken: 'query next-token NextToken',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
    },
    output: { ChannelArn: 'ChimeArn', NextToken: 'NextToken', ChannelBans: 'ChannelBanSummaryList' },
    errors: ['BadRequest', 'Forbidden'],
  },
  DeleteChannelBan: {
    http: 'DELETE /channels/{ChannelArn}/bans/{MemberArn} 204',
    input: {
      ChannelArn: 'path ChimeArn!',
      MemberArn: 'path ChimeArn!',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
    },
    output: {},
    errors: ['BadRequest', 'Forbidden'],
  },
}

export const structures: Structures = {
  ChannelBan: { Member: 'Identity', ChannelArn: 'ChimeArn', CreatedTimestamp: 'Timestamp', CreatedBy: 'Identity' },
  ChannelBanSummary: { Member: 'Identity' },
}
