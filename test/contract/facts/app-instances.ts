import type { Operations, Structures } from './notation.ts'

export const operations: Operations = {
  CreateAppInstance: {
    http: 'POST /app-instances 201',
    input: {
      Name: 'NonEmptyResourceName!',
      Metadata: 'Metadata',
      ClientRequestToken: 'ClientRequestToken*',
      Tags: 'TagList',
    },
    output: { AppInstanceArn: 'ChimeArn' },
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  },
  DescribeAppInstance: {
    http: 'GET /app-instances/{AppInstanceArn} 200',
    input: { AppInstanceArn: 'path ChimeArn!' },
    output: { AppInstance: 'AppInstance' },
    errors: ['BadRequest', 'Forbidden'],
  },
  ListAppInstances: {
    http: 'GET /app-instances 200',
    input: { MaxResults: 'query max-results MaxResults', NextToken: 'query next-token NextToken' },
    output: { AppInstances: 'AppInstanceList', NextToken: 'NextToken' },
    errors: ['BadRequest', 'Forbidden'],
  },
  UpdateAppInstance: {
    http: 'PUT /app-instances/{AppInstanceArn} 200',
    input: { AppInstanceArn: 'path ChimeArn!', Name: 'NonEmptyResourceName!', Metadata: 'Metadata!' },
    output: { AppInstanceArn: 'ChimeArn' },
    errors: ['BadRequest', 'Conflict', 'Forbidden'],
  },
  DeleteAppInstance: {
    http: 'DELETE /app-instances/{AppInstanceArn} 204',
    input: { AppInstanceArn: 'path ChimeArn!' },
    output: {},
    errors: ['BadRequest', 'Forbidden', 'ResourceLimitExceeded'],
  },
  CreateAppInstanceAdmin: {
    http: 'POST /app-instances/{AppInstanceArn}/admins 201',
    input: { AppInstanceAdminArn: 'ChimeArn!', AppInstanceArn: 'path ChimeArn!' },
    output: { AppInstanceAdmin: 'Identity', AppInstanceArn: 'ChimeArn' },
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  },
  DescribeAppInstanceAdmin: {
    http: 'GET /app-instances/{AppInstanceArn}/admins/{AppInstanceAdminArn} 200',
    input: { AppInstanceAdminArn: 'path ChimeArn!', AppInstanceArn: 'path ChimeArn!' },
    output: { AppInstanceAdmin: 'AppInstanceAdmin' },
    errors: ['BadRequest', 'Forbidden'],
  },
  ListAppInstanceAdmins: {
    http: 'GET /app-instances/{AppInstanceArn}/admins 200',
    input: {
      AppInstanceArn: 'path ChimeArn!',
      MaxResults: 'query max-results MaxResults',
      NextToken: 'query next-token NextToken',
    },
    output: { AppInstanceArn: 'ChimeArn', AppInstanceAdmins: 'AppInstanceAdminList', NextToken: 'NextToken' },
    errors: ['BadRequest', 'Forbidden', 'ResourceLimitExceeded'],
  },
  DeleteAppInstanceAdmin: {
    http: 'DELETE /app-instances/{AppInstanceArn}/admins/{AppInstanceAdminArn} 204',
    input: { AppInstanceAdminArn: 'path ChimeArn!', AppInstanceArn: 'path ChimeArn!' },
    output: {},
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  },
  GetAppInstanceRetentionSettings: {
    http: 'GET /app-instances/{AppInstanceArn}/retention-settings 200',
    input: { AppInstanceArn: 'path ChimeArn!' },
    output: { AppInstanceRetentionSettings: 'AppInstanceRetentionSettings', InitiateDeletionTimestamp: 'Timestamp' },
    errors: ['BadRequest', 'Forbidden'],
  },
  PutAppInstanceRetentionSettings: {
    http: 'PUT /app-instances/{AppInstanceArn}/retention-settings 200',
    input: { AppInstanceArn: 'path ChimeArn!', AppInstanceRetentionSettings: 'AppInstanceRetentionSettings!' },
    output: { AppInstanceRetentionSettings: 'AppInstanceRetentionSettings', InitiateDeletionTimestamp: 'Timestamp' },
    errors: ['BadRequest', 'Forbidden'],
  },
}

export const structures: Structures = {
  AppInstance: {
    AppInstanceArn: 'ChimeArn',
    Name: 'NonEmptyResourceName',
    CreatedTimestamp: 'Timestamp',
    LastUpdatedTimestamp: 'Timestamp',
    Metadata: 'Metadata',
  },
  AppInstanceSummary: { AppInstanceArn: 'ChimeArn', Name: 'NonEmptyResourceName', Metadata: 'Metadata' },
  AppInstanceAdmin: { Admin: 'Identity', AppInstanceArn: 'ChimeArn', CreatedTimestamp: 'Timestamp' },
  AppInstanceAdminSummary: { Admin: 'Identity' },
  AppInstanceRetentionSettings: { ChannelRetentionSettings: 'ChannelRetentionSettings' },
  ChannelRetentionSettings: { RetentionDays: 'RetentionDays' },
}
