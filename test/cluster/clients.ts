import { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import type { Cluster } from './cluster.ts'

/** Longer than any answer takes, and shorter than a node is frozen: then the next try goes to another one. */
const requestTimeout = 3_000
const connectionTimeout = 1_000

/** AWS's clients, as applications set them up: they try again by themselves, with the same token. */
export function clientsOf({ url, region, credentials }: Cluster) {
  const requestHandler = { requestTimeout, connectionTimeout, throwOnRequestTimeout: true }
  const options = { endpoint: url, region, credentials, requestHandler }
  return { messaging: new ChimeSDKMessaging(options), identity: new ChimeSDKIdentity(options) }
}

/** Whether the same may succeed later: no answer, or one that says so. All else is the caller's fault, or a bug. */
export function isPassing(error: unknown): boolean {
  const { $response, $metadata } = error as {
    $response?: { statusCode?: number }
    $metadata?: { httpStatusCode?: number }
  }
  const status = $response?.statusCode ?? $metadata?.httpStatusCode
  return status === undefined || status >= 500 || status === 429
}
