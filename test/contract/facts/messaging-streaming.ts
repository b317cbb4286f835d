import type { Operations, Structures } from './notation.ts'

export const operations: Operations = {
  GetMessagingStreamingConfigurations: {
    http: 'GET /app-instances/{AppInstanceArn}/streaming-configurations 200',
    input: { AppInstanceArn: 'path ChimeArn!' },
    output: { StreamingConfigurations: 'StreamingConfigurationList' },
    errors: ['BadRequest', 'Forbidden', 'NotFound'],
  },
  PutMessagingStreamingConfigurations: {
    http: 'PUT /app-instances/{AppInstanceArn}/streaming-configurations 200',
    input: { AppInstanceArn: 'path ChimeArn!', StreamingConfigurations: 'StreamingConfigurationList!' },
    output: { StreamingConfigurations: 'StreamingConfigurationList' },
    errors: ['BadRequest', 'Conflict', 'Forbidden', 'NotFound'],
  },
  DeleteMessagingStreamingConfigurations: {
    http: 'DELETE /app-instances/{AppInstanceArn}/streaming-configurations 204',
    input: { AppInstanceArn: 'path ChimeArn!' },
    output: {},
    errors: ['BadRequest', 'Forbidden'],
  },
}

export const structures: Structures = {
  StreamingConfiguration: { DataType: 'MessagingDataType!', ResourceArn: 'ChimeArn!' },
}
