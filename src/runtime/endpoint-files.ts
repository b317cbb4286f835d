import { join } from 'node:path'
import { type DataFolder, endpointFile } from './data-folder.ts'
import { processStart } from './process-start.ts'

/** The addresses of a running server. */
export interface Endpoint {
  /** A URL for API calls. */
  http: string
  /** A URL for API calls over TLS. None if a proxy terminates TLS. */
  https: string | undefined
  /** The endpoint that GetMessagingSessionEndpoint returns, `host[:port]`. */
  wss: string
  /** A URL for health checks and metrics. None if the server has no admin port. */
  admin: string | undefined
  /** The URL of the console, if a link from a terminal of this machine may sign in there. */
  console: string | undefined
  region: string
  account: string
  /**
   * The absolute path of the authority's certificate, for clients to trust. None if the server has issued no
   * certificate.
   */
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
 * Announces a ready server to other programs: `aws/config` and `aws/credentials` with a profile `carillon`, then
 * `endpoint.json`, so that a program that waits for the last one finds all.
 */
export function writeEndpointFiles(folder: DataFolder, endpoint: Endpoint, keys: KeyPair): AwsFiles {
  folder.writeSecret('aws/config', awsConfig(endpoint))
  folder.writeSecret('aws/credentials', awsCredentials(keys))
  const { pid } = process
  const content = { ...endpoint, pid, processStart: processStart(pid) }
  folder.writeSecret(endpointFile, JSON.stringify(content, undefined, 2) + '\n')
  return { config: join(folder.path, 'aws/config'), credentials: join(folder.path, 'aws/credentials') }
}

/**
 * At the start, because a crash leaves a file without a server, and at the end. The `aws` files stay: they name no
 * process, and a shell that uses them works again after a restart.
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
sts =
  endpoint_url = ${http}
`
}

/** No spaces around the values: the SDKs parse " #" as a comment, and a secret may begin with #. */
function awsCredentials({ accessKeyId, secretAccessKey }: KeyPair): string {
  return `[carillon]
aws_access_key_id=${accessKeyId}
aws_secret_access_key=${secretAccessKey}
`
}
