import type { Operations, Structures } from './notation.ts'

export const operations: Operations = {
  CreateAppInstanceBot: {
    http: 'POST /app-instance-bots 201',
    input: {
      AppInstanceArn: 'ChimeArn!',
      Name: 'ResourceName',
      Metadata: 'Metadata',
      ClientRequestToken: 'ClientRequestToken*',
      Tags: 'TagList',
      Configuration: 'Configuration!',
    },
    output: { AppInstanceBotArn: 'ChimeArn' },
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  },
  DescribeAppInstanceBot: {
    http: 'GET /app-instance-bots/{AppInstanceBotArn} 200',
    input: { AppInstanceBotArn: 'path ChimeArn!' },
    output: { AppInstanceBot: 'AppInstanceBot' },
    errors: ['BadRequest', 'Forbidden', 'NotFound'],
  },
  ListAppInstanceBots: {
    http: 'GET /app-instance-bots 200',
    input: {
      AppInstanceArn: 'query app-instance-arn ChimeArn!',
      MaxResults: 'query max-results MaxResults',
      NextToken: 'query next-token NextToken',
    },
    output: { AppInstanceArn: 'ChimeArn', AppInstanceBots: 'AppInstanceBotList', NextToken: 'NextToken' },
    errors: ['BadRequest', 'Forbidden', 'ResourceLimitExceeded'],
  },
  UpdateAppInstanceBot: {
    http: 'PUT /app-instance-bots/{AppInstanceBotArn} 200',
    input: {
      AppInstanceBotArn: 'path ChimeArn!',
      Name: 'ResourceName!',
      Metadata: 'Metadata!',
      Configuration: 'Configuration',
    },
    output: { AppInstanceBotArn: 'ChimeArn' },
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  },
  DeleteAppInstanceBot: {
    http: 'DELETE /app-instance-bots/{AppInstanceBotArn} 204',
    input: { AppInstanceBotArn: 'path ChimeArn!' },
    output: {},
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  },
}

export const structures: Structures = {
  AppInstanceBot: {
    AppInstanceBotArn: 'ChimeArn',
    Name: 'ResourceName',
    Configuration: 'Configuration',
    CreatedTimestamp: 'Timestamp',
    LastUpdatedTimestamp: 'Timestamp',
    Metadata: 'Metadata',
  },
  AppInstanceBotSummary: { AppInstanceBotArn: 'ChimeArn', Name: 'ResourceName', Metadata: 'Metadata' },
  Configuration: { Lex: 'LexConfiguration!' },
  LexConfiguration: {
    RespondsTo: 'RespondsTo',
    InvokedBy: 'InvokedBy',
    LexBotAliasArn: 'LexBotAliasArn!',
    LocaleId: 'String!',
    WelcomeIntent: 'LexIntentName',
  },
  InvokedBy: { StandardMessages: 'StandardMessages!', TargetedMessages: 'TargetedMessages!' },
}
