import type { Operations, Structures } from './notation.ts'

export const operations: Operations = {
  RegisterAppInstanceUserEndpoint: {
    http: 'POST /app-instance-users/{AppInstanceUserArn}/endpoints 201',
    input: {
      AppInstanceUserArn: 'path SensitiveChimeArn!',
      Name: 'SensitiveString1600',
      Type: 'AppInstanceUserEndpointType!',
      ResourceArn: 'ChimeArn!',
      EndpointAttributes: 'EndpointAttributes!',
      ClientRequestToken: 'ClientRequestToken*',
      AllowMessages: 'AllowMessages',
    },
    output: { AppInstanceUserArn: 'ChimeArn', EndpointId: 'String64' },
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'ResourceLimitExceeded'],
  },
  DescribeAppInstanceUserEndpoint: {
    http: 'GET /app-instance-users/{AppInstanceUserArn}/endpoints/{EndpointId} 200',
    input: { AppInstanceUserArn: 'path String1600!', EndpointId: 'path String64!' },
    output: { AppInstanceUserEndpoint: 'AppInstanceUserEndpoint' },
    errors: ['BadRequest', 'Forbidden'],
  },
  ListAppInstanceUserEndpoints: {
    http: 'GET /app-instance-users/{AppInstanceUserArn}/endpoints 200',
    input: {
      AppInstanceUserArn: 'path SensitiveChimeArn!',
      MaxResults: 'query max-results MaxResults',
      NextToken: 'query next-token NextToken',
    },
    output: { AppInstanceUserEndpoints: 'AppInstanceUserEndpointSummaryList', NextToken: 'NextToken' },
    errors: ['BadRequest', 'Forbidden'],
  },
  UpdateAppInstanceUserEndpoint: {
    http: 'PUT /app-instance-users/{AppInstanceUserArn}/endpoints/{EndpointId} 200',
    input: {
      AppInstanceUserArn: 'path ChimeArn!',
      EndpointId: 'path String64!',
      Name: 'SensitiveString1600',
      AllowMessages: 'AllowMessages',
    },
    output: { AppInstanceUserArn: 'ChimeArn', EndpointId: 'String64' },
    errors: ['BadRequest', 'Conflict', 'Forbidden'],
  },
  DeregisterAppInstanceUserEndpoint: {
    http: 'DELETE /app-instance-users/{AppInstanceUserArn}/endpoints/{EndpointId} 204',
    input: { AppInstanceUserArn: 'path ChimeArn!', EndpointId: 'path String64!' },
    output: {},
    errors: ['BadRequest', 'Forbidden'],
  },
}

export const structures: Structures = {
  AppInstanceUserEndpoint: {
    AppInstanceUserArn: 'ChimeArn',
    EndpointId: 'String64',
    Name: 'SensitiveString1600',
    Type: 'AppInstanceUserEndpointType',
    ResourceArn: 'ChimeArn',
    EndpointAttributes: 'EndpointAttributes',
    CreatedTimestamp: 'Timestamp',
    LastUpdatedTimestamp: 'Timestamp',
    AllowMessages: 'AllowMessages',
    EndpointState: 'EndpointState',
  },
  AppInstanceUserEndpointSummary: {
    AppInstanceUserArn: 'ChimeArn',
    EndpointId: 'String64',
    Name: 'SensitiveString1600',
    Type: 'AppInstanceUserEndpointType',
    AllowMessages: 'AllowMessages',
    EndpointState: 'EndpointState',
  },
  EndpointAttributes: { DeviceToken: 'NonEmptySensitiveString1600!', VoipDeviceToken: 'NonEmptySensitiveString1600' },
  EndpointState: { Status: 'EndpointStatus!', StatusReason: 'EndpointStatusReason' },
}
