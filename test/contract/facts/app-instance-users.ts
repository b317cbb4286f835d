import type { Operations, Structures } from './notation.ts'

export const operations: Operations = {
  CreateAppInstanceUser: {
    http: 'POST /app-instance-users 201',
    input: {
      AppInstanceArn: 'ChimeArn!',
      AppInstanceUserId: 'UserId!',
      Name: 'UserName!',
      Metadata: 'Metadata',
      ClientRequestToken: 'ClientRequestToken*',
      Tags: 'TagList',
      ExpirationSettings: 'AppInstanceUserExpirationSettings',
    },
    output: { AppInstanceUserArn: 'ChimeArn' },
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  },
  DescribeAppInstanceUser: {
    http: 'GET /app-instance-users/{AppInstanceUserArn} 200',
    input: { AppInstanceUserArn: 'path ChimeArn!' },
    output: { AppInstanceUser: 'AppInstanceUser' },
    errors: ['BadRequest', 'Forbidden'],
  },
  ListAppInstanceUsers: {
    http: 'GET /app-instance-users 200',
    input: {
      AppInstanceArn: 'query app-instance-arn ChimeArn!',
      MaxResults: 'query max-results MaxResults',
      NextToken: 'query next-token NextToken',
    },
    output: { AppInstanceArn: 'ChimeArn', AppInstanceUsers: 'AppInstanceUserList', NextToken: 'NextToken' },
    errors: ['BadRequest', 'Forbidden'],
  },
  UpdateAppInstanceUser: {
    http: 'PUT /app-instance-users/{AppInstanceUserArn} 200',
    input: { AppInstanceUserArn: 'path ChimeArn!', Name: 'UserName!', Metadata: 'Metadata!' },
    output: { AppInstanceUserArn: 'ChimeArn' },
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  },
  DeleteAppInstanceUser: {
    http: 'DELETE /app-instance-users/{AppInstanceUserArn} 204',
    input: { AppInstanceUserArn: 'path ChimeArn!' },
    output: {},
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  },
  PutAppInstanceUserExpirationSettings: {
    http: 'PUT /app-instance-users/{AppInstanceUserArn}/expiration-settings 200',
    input: { AppInstanceUserArn: 'path ChimeArn!', ExpirationSettings: 'AppInstanceUserExpirationSettings' },
    output: { AppInstanceUserArn: 'ChimeArn', ExpirationSettings: 'AppInstanceUserExpirationSettings' },
    errors: ['BadRequest', 'Conflict', 'Forbidden'],
  },
}

export const structures: Structures = {
  Identity: { Arn: 'ChimeArn', Name: 'ResourceName' },
  AppInstanceUser: {
    AppInstanceUserArn: 'ChimeArn',
    Name: 'UserName',
    Metadata: 'Metadata',
    CreatedTimestamp: 'Timestamp',
    LastUpdatedTimestamp: 'Timestamp',
    ExpirationSettings: 'AppInstanceUserExpirationSettings',
  },
  AppInstanceUserSummary: { AppInstanceUserArn: 'ChimeArn', Name: 'UserName', Metadata: 'Metadata' },
  AppInstanceUserExpirationSettings: {
    ExpirationDays: 'ExpirationDays!',
    ExpirationCriterion: 'UserExpirationCriterion!',
  },
}
