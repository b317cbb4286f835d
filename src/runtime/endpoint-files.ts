import { join } from 'node:path'
import { type DataFolder, endpointFile } from './data-folder.ts'
import { processStart } from './process-start.ts'

/** Where clients reach a running server. */
export interface Endpoint {
  /** A URL for API calls. */
  http: string
  /** A URL for API calls over TLS. None if a proxy ends TLS. */
  https: string | undefined
  /** What GetMessagingSessionEndpoint answers, `host[:port]`. */
  wss: string
  /** A URL for health checks and metrics. None unless an admin port is set. */
  admin: string | undefined
  region: string
  account: string
  /** The absolute path of the authority's certificate, for clients to trust. None if the server made no certificate. */
  ca: string | undefined
}

/** The absolute paths of the files that the AWS SDKs and the AWS CLI read. */
export interface AwsFiles {
  config: string
  credentials: string
}

interface KeyPair {
  accessKeyId: string
  secretAccessKey: string
}

/**
 * Tells other programs of a server that is ready: `aws/config` and `aws/credentials` with a profile `carillon`, then
 * `endpoint.json`, so that whoever waits for the last finds all.
 */
export function writeEndpointFiles(folder: DataFolder, endpoint: Endpoint, keys: KeyPair): AwsFiles {
  folder.writeSecret('aws/config', awsConfig(endpoint))
  folder.writeSecret('aws/credentials', awsCredentials(keys))
  const { pid } = process
  const told = { ...endpoint, pid, processStart: processStart(pid) }
  folder.writeSecret(endpointFile, JSON.stringify(told, undefined, 2) + '\n')
  return { config: join(folder.path, 'aws/config'), credentials: join(folder.path, 'aws/credentials') }
}

/**
 * At the start, since a crash leaves a file that tells of no server, and at the end. The `aws` files stay: they name no
 * process, and a shell that was pointed at them works again after a restart.
 */
export function removeEndpointFile(folder: DataFolder): void {
  folder.remove(endpointFile)
}

/** As in the AWS SDKs and Tools Reference Guide, "Service-specific endpoints". */
function awsConfig({ http, region }: Endpoint): string {
  return `[profile carillon]
region = ${region}
services = carillon

[services carillon]
chime_sdk_messaging =
  endpoint_url = ${http}
chime_sdk_identity =
  endpoint_url = ${http}
`
}

/** No spaces around the values: the SDKs take " #" for a comment, and a secret may begin with #. */
function awsCredentials({ accessKeyId, secretAccessKey }: KeyPair): string {
  return `[carillon]
aws_access_key_id=${accessKeyId}
aws_secret_access_key=${secretAccessKey}
`
}
