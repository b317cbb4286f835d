import type { Operations, Structures } from './notation.ts'

export const operations: Operations = {
  CreateChannelFlow: {
    http: 'POST /channel-flows 201',
    input: {
      AppInstanceArn: 'ChimeArn!',
      Processors: 'ProcessorList!',
      Name: 'NonEmptyResourceName!',
      Tags: 'TagList',
      ClientRequestToken: 'ClientRequestToken*',
    },
    output: { ChannelFlowArn: 'ChimeArn' },
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  },
  DescribeChannelFlow: {
    http: 'GET /channel-flows/{ChannelFlowArn} 200',
    input: { ChannelFlowArn: 'path ChimeArn!' },
    output: { ChannelFlow: 'ChannelFlow' },
    errors: ['BadRequest', 'Forbidden'],
  },
  ListChannelFlows: {
    http: 'GET /channel-flows 200',
    input: {
      AppInstanceArn: 'query app-instance-arn ChimeArn!',
      MaxResults: 'query max-results MaxResults',
      NextToken: 'query next-token NextToken',
    },
    output: { ChannelFlows: 'ChannelFlowSummaryList', NextToken: 'NextToken' },
    errors: ['BadRequest', 'Forbidden'],
  },
  UpdateChannelFlow: {
    http: 'PUT /channel-flows/{ChannelFlowArn} 200',
    input: { ChannelFlowArn: 'path ChimeArn!', Processors: 'ProcessorList!', Name: 'NonEmptyResourceName!' },
    output: { ChannelFlowArn: 'ChimeArn' },
    errors: ['BadRequest', 'Conflict', 'Forbidden'],
  },
  DeleteChannelFlow: {
    http: 'DELETE /channel-flows/{ChannelFlowArn} 204',
    input: { ChannelFlowArn: 'path ChimeArn!' },
    output: {},
    errors: ['BadRequest', 'Conflict', 'Forbidden'],
  },
  AssociateChannelFlow: {
    http: 'PUT /channels/{ChannelArn}/channel-flow 200',
    input: {
      ChannelArn: 'path ChimeArn!',
      ChannelFlowArn: 'ChimeArn!',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
    },
    output: {},
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'NotFound'],
  },
  DisassociateChannelFlow: {
    http: 'DELETE /channels/{ChannelArn}/channel-flow/{ChannelFlowArn} 204',
    input: {
      ChannelArn: 'path ChimeArn!',
      ChannelFlowArn: 'path ChimeArn!',
      ChimeBearer: 'header x-amz-chime-bearer ChimeArn!',
    },
    output: {},
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'NotFound'],
  },
  ListChannelsAssociatedWithChannelFlow: {
    http: 'GET /channels?scope=channel-flow-associations 200',
    input: {
      ChannelFlowArn: 'query channel-flow-arn ChimeArn!',
      MaxResults: 'query max-results MaxResults',
      NextToken: 'query next-token NextToken',
    },
    output: { Channels: 'ChannelAssociatedWithFlowSummaryList', NextToken: 'NextToken' },
    errors: ['BadRequest', 'Forbidden'],
  },
  ChannelFlowCallback: {
    http: 'POST /channels/{ChannelArn}?operation=channel-flow-callback 200',
    input: {
      CallbackId: 'CallbackIdType*',
      ChannelArn: 'path ChimeArn!',
      DeleteResource: 'NonNullableBoolean',
      ChannelMessage: 'ChannelMessageCallback!',
    },
    output: { ChannelArn: 'ChimeArn', CallbackId: 'CallbackIdType' },
    errors: ['BadRequest', 'Conflict', 'Forbidden'],
  },
}

export const structures: Structures = {
  ChannelFlow: {
    ChannelFlowArn: 'ChimeArn',
    Processors: 'ProcessorList',
    Name: 'NonEmptyResourceName',
    CreatedTimestamp: 'Timestamp',
    LastUpdatedTimestamp: 'Timestamp',
  },
  ChannelFlowSummary: { ChannelFlowArn: 'ChimeArn', Name: 'NonEmptyResourceName', Processors: 'ProcessorList' },
  Processor: {
    Name: 'NonEmptyResourceName!',
    Configuration: 'ProcessorConfiguration!',
    ExecutionOrder: 'ChannelFlowExecutionOrder!',
    FallbackAction: 'FallbackAction!',
  },
  ProcessorConfiguration: { Lambda: 'LambdaConfiguration!' },
  LambdaConfiguration: { ResourceArn: 'LambdaFunctionArn!', InvocationType: 'InvocationType!' },
  ChannelAssociatedWithFlowSummary: {
    Name: 'NonEmptyResourceName',
    ChannelArn: 'ChimeArn',
    Mode: 'ChannelMode',
    Privacy: 'ChannelPrivacy',
    Metadata: 'Metadata',
  },
  ChannelMessageCallback: {
    MessageId: 'MessageId!',
    Content: 'NonEmptyContent',
    Metadata: 'Metadata',
    PushNotification: 'PushNotificationConfiguration',
    MessageAttributes: 'MessageAttributeMap',
    SubChannelId: 'SubChannelId',
    ContentType: 'ContentType',
  },
}
