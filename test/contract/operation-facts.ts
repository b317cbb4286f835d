/*
 * Which shape each member of an operation has, which errors it answers and whether it answers in pages, from the same
 * references as facts.ts.
 */

export interface OperationFact {
  /** Besides those that every operation may answer. */
  errors: string[]
  /** Members and their shapes. */
  input: Record<string, string>
  output: Record<string, string>
  paginated?: boolean
}

export const operationFacts: Record<string, OperationFact> = {
  CreateAppInstance: {
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
    input: {
      Name: 'NonEmptyResourceName',
      Metadata: 'Metadata',
      ClientRequestToken: 'ClientRequestToken',
      Tags: 'TagList',
    },
    output: { AppInstanceArn: 'ChimeArn' },
  },
  DescribeAppInstance: {
    errors: ['BadRequest', 'Forbidden'],
    input: { AppInstanceArn: 'ChimeArn' },
    output: { AppInstance: 'AppInstance' },
  },
  CreateAppInstanceUser: {
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
    input: {
      AppInstanceArn: 'ChimeArn',
      AppInstanceUserId: 'UserId',
      Name: 'UserName',
      Metadata: 'Metadata',
      ClientRequestToken: 'ClientRequestToken',
      Tags: 'TagList',
      ExpirationSettings: 'AppInstanceUserExpirationSettings',
    },
    output: { AppInstanceUserArn: 'ChimeArn' },
  },
  DescribeAppInstanceUser: {
    errors: ['BadRequest', 'Forbidden'],
    input: { AppInstanceUserArn: 'ChimeArn' },
    output: { AppInstanceUser: 'AppInstanceUser' },
  },
  CreateAppInstanceAdmin: {
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
    input: { AppInstanceAdminArn: 'ChimeArn', AppInstanceArn: 'ChimeArn' },
    output: { AppInstanceAdmin: 'Identity', AppInstanceArn: 'ChimeArn' },
  },
  CreateChannel: {
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
    input: {
      AppInstanceArn: 'ChimeArn',
      Name: 'NonEmptyResourceName',
      Mode: 'ChannelMode',
      Privacy: 'ChannelPrivacy',
      Metadata: 'Metadata',
      ClientRequestToken: 'ClientRequestToken',
      Tags: 'TagList',
      ChimeBearer: 'ChimeArn',
      ChannelId: 'ChannelId',
      MemberArns: 'ChannelMemberArns',
      ModeratorArns: 'ChannelModeratorArns',
      ElasticChannelConfiguration: 'ElasticChannelConfiguration',
      ExpirationSettings: 'ExpirationSettings',
    },
    output: { ChannelArn: 'ChimeArn' },
  },
  DescribeChannel: {
    errors: ['BadRequest', 'Forbidden'],
    input: { ChannelArn: 'ChimeArn', ChimeBearer: 'ChimeArn' },
    output: { Channel: 'Channel' },
  },
  DeleteChannel: {
    errors: ['BadRequest', 'Conflict', 'Forbidden'],
    input: { ChannelArn: 'ChimeArn', ChimeBearer: 'ChimeArn' },
    output: {},
  },
  UpdateChannel: {
    errors: ['BadRequest', 'Conflict', 'Forbidden'],
    input: {
      ChannelArn: 'ChimeArn',
      Name: 'NonEmptyResourceName',
      Mode: 'ChannelMode',
      Metadata: 'Metadata',
      ChimeBearer: 'ChimeArn',
    },
    output: { ChannelArn: 'ChimeArn' },
  },
  CreateChannelMembership: {
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'NotFound', 'ResourceLimitExceeded'],
    input: {
      ChannelArn: 'ChimeArn',
      MemberArn: 'ChimeArn',
      Type: 'ChannelMembershipType',
      ChimeBearer: 'ChimeArn',
      SubChannelId: 'SubChannelId',
    },
    output: { ChannelArn: 'ChimeArn', Member: 'Identity', SubChannelId: 'SubChannelId' },
  },
  ListChannelMemberships: {
    errors: ['BadRequest', 'Forbidden'],
    input: {
      ChannelArn: 'ChimeArn',
      Type: 'ChannelMembershipType',
      MaxResults: 'MaxResults',
      NextToken: 'NextToken',
      ChimeBearer: 'ChimeArn',
      SubChannelId: 'SubChannelId',
    },
    output: { ChannelArn: 'ChimeArn', ChannelMemberships: 'ChannelMembershipSummaryList', NextToken: 'NextToken' },
    paginated: true,
  },
  CreateChannelFlow: {
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
    input: {
      AppInstanceArn: 'ChimeArn',
      Processors: 'ProcessorList',
      Name: 'NonEmptyResourceName',
      Tags: 'TagList',
      ClientRequestToken: 'ClientRequestToken',
    },
    output: { ChannelFlowArn: 'ChimeArn' },
  },
  DescribeChannelFlow: {
    errors: ['BadRequest', 'Forbidden'],
    input: { ChannelFlowArn: 'ChimeArn' },
    output: { ChannelFlow: 'ChannelFlow' },
  },
  ListChannelFlows: {
    errors: ['BadRequest', 'Forbidden'],
    input: { AppInstanceArn: 'ChimeArn', MaxResults: 'MaxResults', NextToken: 'NextToken' },
    output: { ChannelFlows: 'ChannelFlowSummaryList', NextToken: 'NextToken' },
    paginated: true,
  },
  UpdateChannelFlow: {
    errors: ['BadRequest', 'Conflict', 'Forbidden'],
    input: { ChannelFlowArn: 'ChimeArn', Processors: 'ProcessorList', Name: 'NonEmptyResourceName' },
    output: { ChannelFlowArn: 'ChimeArn' },
  },
  DeleteChannelFlow: {
    errors: ['BadRequest', 'Conflict', 'Forbidden'],
    input: { ChannelFlowArn: 'ChimeArn' },
    output: {},
  },
  AssociateChannelFlow: {
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'NotFound'],
    input: { ChannelArn: 'ChimeArn', ChannelFlowArn: 'ChimeArn', ChimeBearer: 'ChimeArn' },
    output: {},
  },
  DisassociateChannelFlow: {
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'NotFound'],
    input: { ChannelArn: 'ChimeArn', ChannelFlowArn: 'ChimeArn', ChimeBearer: 'ChimeArn' },
    output: {},
  },
  UpdateChannelMessage: {
    errors: ['BadRequest', 'Conflict', 'Forbidden'],
    input: {
      ChannelArn: 'ChimeArn',
      MessageId: 'MessageId',
      Content: 'NonEmptyContent',
      Metadata: 'Metadata',
      ChimeBearer: 'ChimeArn',
      SubChannelId: 'SubChannelId',
      ContentType: 'ContentType',
    },
    output: {
      ChannelArn: 'ChimeArn',
      MessageId: 'MessageId',
      Status: 'ChannelMessageStatusStructure',
      SubChannelId: 'SubChannelId',
    },
  },
  RedactChannelMessage: {
    errors: ['BadRequest', 'Conflict', 'Forbidden'],
    input: {
      ChannelArn: 'ChimeArn',
      MessageId: 'MessageId',
      ChimeBearer: 'ChimeArn',
      SubChannelId: 'SubChannelId',
    },
    output: { ChannelArn: 'ChimeArn', MessageId: 'MessageId', SubChannelId: 'SubChannelId' },
  },
  DeleteChannelMessage: {
    errors: ['BadRequest', 'Forbidden'],
    input: {
      ChannelArn: 'ChimeArn',
      MessageId: 'MessageId',
      ChimeBearer: 'ChimeArn',
      SubChannelId: 'SubChannelId',
    },
    output: {},
  },
  SendChannelMessage: {
    errors: ['BadRequest', 'Conflict', 'Forbidden'],
    input: {
      ChannelArn: 'ChimeArn',
      Content: 'NonEmptyContent',
      Type: 'ChannelMessageType',
      Persistence: 'ChannelMessagePersistenceType',
      Metadata: 'Metadata',
      ClientRequestToken: 'ClientRequestToken',
      ChimeBearer: 'ChimeArn',
      PushNotification: 'PushNotificationConfiguration',
      MessageAttributes: 'MessageAttributeMap',
      SubChannelId: 'SubChannelId',
      ContentType: 'ContentType',
      Target: 'TargetList',
    },
    output: {
      ChannelArn: 'ChimeArn',
      MessageId: 'MessageId',
      Status: 'ChannelMessageStatusStructure',
      SubChannelId: 'SubChannelId',
    },
  },
  GetChannelMessage: {
    errors: ['BadRequest', 'Forbidden', 'NotFound'],
    input: { ChannelArn: 'ChimeArn', MessageId: 'MessageId', ChimeBearer: 'ChimeArn', SubChannelId: 'SubChannelId' },
    output: { ChannelMessage: 'ChannelMessage' },
  },
  GetChannelMessageStatus: {
    errors: ['BadRequest', 'Forbidden'],
    input: { ChannelArn: 'ChimeArn', MessageId: 'MessageId', ChimeBearer: 'ChimeArn', SubChannelId: 'SubChannelId' },
    output: { Status: 'ChannelMessageStatusStructure' },
  },
  ListChannelMessages: {
    errors: ['BadRequest', 'Forbidden'],
    input: {
      ChannelArn: 'ChimeArn',
      SortOrder: 'SortOrder',
      NotBefore: 'Timestamp',
      NotAfter: 'Timestamp',
      MaxResults: 'MaxResults',
      NextToken: 'NextToken',
      ChimeBearer: 'ChimeArn',
      SubChannelId: 'SubChannelId',
    },
    output: {
      ChannelArn: 'ChimeArn',
      NextToken: 'NextToken',
      ChannelMessages: 'ChannelMessageSummaryList',
      SubChannelId: 'SubChannelId',
    },
    paginated: true,
  },
  ChannelFlowCallback: {
    errors: ['BadRequest', 'Conflict', 'Forbidden'],
    input: {
      CallbackId: 'CallbackIdType',
      ChannelArn: 'ChimeArn',
      DeleteResource: 'NonNullableBoolean',
      ChannelMessage: 'ChannelMessageCallback',
    },
    output: { ChannelArn: 'ChimeArn', CallbackId: 'CallbackIdType' },
  },
  GetMessagingSessionEndpoint: {
    errors: ['Forbidden'],
    input: { NetworkType: 'NetworkType' },
    output: { Endpoint: 'MessagingSessionEndpoint' },
  },
}
