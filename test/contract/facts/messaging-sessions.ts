import type { Operations, Structures } from './notation.ts'

export const operations: Operations = {
  GetMessagingSessionEndpoint: {
    http: 'GET /endpoints/messaging-session 200',
    input: { NetworkType: 'query network-type NetworkType' },
    output: { Endpoint: 'MessagingSessionEndpoint' },
    errors: ['Forbidden'],
  },
}

export const structures: Structures = {
  MessagingSessionEndpoint: { Url: 'UrlType' },
}
