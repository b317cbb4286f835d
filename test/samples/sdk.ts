import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import type { TestServer } from '../support/running-server.ts'

// biome-ignore lint/suspicious/noExplicitAny: the samples read what a call returns without looking whether it is there
export type Answer = any

/** The API as a sample calls it: an operation by the name of its method in the SDK. */
export interface Sdk {
  call(operation: string, input?: object): Promise<Answer>
  /** The client that a messaging session takes its endpoint, region and credentials from. */
  sessionClient: Answer
  /** Its model has no status of messages, so what the server says of it is lost. */
  withoutStatus?: true
}

const clients = join(import.meta.dirname, '../clients')

/** Why the samples that are written for SDK v2 cannot run here, or false. */
export const missingV2 =
  !existsSync(join(clients, 'node_modules/aws-sdk')) && 'aws-sdk is not installed: npm run test:setup installs it'

export function sdkV3({ messaging, identity }: TestServer): Sdk {
  const clientOf = (operation: string): Answer => (operation in messaging ? messaging : identity)
  return { call: (operation, input = {}) => clientOf(operation)[operation](input), sessionClient: messaging }
}

const optionsOf = ({ endpoint, credentials }: TestServer) => ({
  endpoint: endpoint.http,
  region: 'us-east-1',
  credentials: { accessKeyId: credentials.accessKeyId, secretAccessKey: credentials.secretAccessKey },
  maxRetries: 0,
})

const loadV2 = (): Answer => {
  process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1'
  return createRequire(join(clients, 'sdk-v2.cjs'))('aws-sdk')
}

export function sdkV2(server: TestServer): Sdk {
  const AWS = loadV2()
  const messaging = new AWS.ChimeSDKMessaging(optionsOf(server))
  const identity = new AWS.ChimeSDKIdentity(optionsOf(server))
  const clientOf = (operation: string): Answer => (operation in messaging ? messaging : identity)
  return { call: (operation, input = {}) => clientOf(operation)[operation](input).promise(), sessionClient: messaging }
}

/** The namespace AWS.Chime of SDK v2, which was there before the two services. Its callers set the bearer as a header. */
export function sdkV2Chime(server: TestServer): Sdk {
  const AWS = loadV2()
  const chime = new AWS.Chime({ ...optionsOf(server), hostPrefixEnabled: false })
  return {
    call(operation, input = {}) {
      const { ChimeBearer, ...parameters } = input as { ChimeBearer?: string }
      const request = chime[operation](parameters)
      request.on('build', () => {
        if (ChimeBearer !== undefined) request.httpRequest.headers['x-amz-chime-bearer'] = ChimeBearer
      })
      return request.promise()
    },
    sessionClient: chime,
    withoutStatus: true,
  }
}
