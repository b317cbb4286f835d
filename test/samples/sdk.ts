import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { after } from 'node:test'
import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import type { Credentials } from '../../src/keys/key.ts'
import type { TestServer } from '../support/running-server.ts'

// biome-ignore lint/suspicious/noExplicitAny: the samples read what a call returns without looking whether it is there
export type Answer = any

/** The API as a sample calls it: an operation by the name of its method in the SDK. */
export interface Sdk {
  call(operation: string, input?: object): Promise<Answer>
  /** The client that a messaging session takes its endpoint, region and credentials from. */
  sessionClient: Answer
  /** The same in the browser of this user, with a key of the user: what was made by the server's key is the back end's. */
  of(userArn: string): Promise<Sdk>
  /** Its model has no status of messages, so what the server says of it is lost. */
  withoutStatus?: true
}

const clients = join(import.meta.dirname, '../clients')

/** Why the samples that are written for SDK v2 cannot run here, or false. */
export const missingV2 =
  !existsSync(join(clients, 'node_modules/aws-sdk')) && 'aws-sdk is not installed: npm run test:setup installs it'

/** The list of people and of flows is part of the pages. */
const userKey = (server: TestServer, userArn: string) =>
  server.createKey({ Kind: 'USER', SubjectArn: userArn, Directory: true })

const optionsOf = ({ endpoint }: TestServer, { accessKeyId, secretAccessKey }: Credentials) => ({
  endpoint: endpoint.http,
  region: 'us-east-1',
  credentials: { accessKeyId, secretAccessKey },
})

export function sdkV3(server: TestServer, credentials = server.credentials): Sdk {
  const options = { ...optionsOf(server, credentials), maxAttempts: 1 }
  const [messaging, identity] = [new ChimeSDKMessaging(options), new ChimeSDKIdentity(options)]
  after(() => {
    messaging.destroy()
    identity.destroy()
  })
  const clientOf = (operation: string): Answer => (operation in messaging ? messaging : identity)
  return {
    call: (operation, input = {}) => clientOf(operation)[operation](input),
    sessionClient: messaging,
    of: async (userArn) => sdkV3(server, await userKey(server, userArn)),
  }
}

const loadV2 = (): Answer => {
  process.env.AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE = '1'
  return createRequire(join(clients, 'sdk-v2.cjs'))('aws-sdk')
}

export function sdkV2(server: TestServer, credentials = server.credentials): Sdk {
  const AWS = loadV2()
  const options = { ...optionsOf(server, credentials), maxRetries: 0 }
  const messaging = new AWS.ChimeSDKMessaging(options)
  const identity = new AWS.ChimeSDKIdentity(options)
  const clientOf = (operation: string): Answer => (operation in messaging ? messaging : identity)
  return {
    call: (operation, input = {}) => clientOf(operation)[operation](input).promise(),
    sessionClient: messaging,
    of: async (userArn) => sdkV2(server, await userKey(server, userArn)),
  }
}

/** The namespace AWS.Chime of SDK v2, which was there before the two services. Its callers set the bearer as a header. */
export function sdkV2Chime(server: TestServer, credentials = server.credentials): Sdk {
  const AWS = loadV2()
  const chime = new AWS.Chime({ ...optionsOf(server, credentials), maxRetries: 0, hostPrefixEnabled: false })
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
    of: async (userArn) => sdkV2Chime(server, await userKey(server, userArn)),
    withoutStatus: true,
  }
}
