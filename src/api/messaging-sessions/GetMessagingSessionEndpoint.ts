import { optional, query } from '../../contract/binding.ts'
import { NetworkType } from '../../contract/shapes.ts'
import { MessagingSessionEndpoint } from '../../contract/structures/messaging-sessions.ts'
import { byCredentialsAlone } from '../access.ts'
import { operation } from '../context.ts'

/** Only `host[:port]`: every client adds `wss://` before it and `/connect` after it. */
export const GetMessagingSessionEndpoint = operation({
  name: 'GetMessagingSessionEndpoint',
  http: 'GET /endpoints/messaging-session 200',
  input: { NetworkType: query('network-type', optional(NetworkType)) },
  output: { Endpoint: optional(MessagingSessionEndpoint) },
  errors: ['Forbidden'],
  resources: [],
  allow: byCredentialsAlone,
  handle: (_input, { sessionHost }) => ({ Endpoint: { Url: sessionHost() } }),
})
