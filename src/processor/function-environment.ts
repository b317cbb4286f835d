import { devNull, tmpdir } from 'node:os'
import { delimiter, dirname } from 'node:path'
import type { FunctionCode } from './function-files.ts'

/** What a function needs to call this server. */
export interface FunctionEnvironment {
  region: string
  accessKeyId: string
  secretAccessKey: string
  sessionToken: string
  /** Base URLs of this server. */
  messagingEndpoint: string
  identityEndpoint: string
}

/** A generous size for one of AWS's functions. Node limits its heap below it, so that a leak only ends the child. */
export const memorySizeMb = 1024

/**
 * The whole environment of a child process: what AWS gives a function ("Using Lambda environment variables" in its
 * developer guide), and nothing that the server's own environment holds. `runtimeApi` is what the child may not lose;
 * all else `function.json` may change.
 */
export function childEnvironment(
  code: FunctionCode,
  server: FunctionEnvironment,
  { runtimeApi, writableFolder = tmpdir() }: { runtimeApi: string; writableFolder?: string | undefined },
) {
  return {
    PATH: [dirname(process.execPath), '/usr/local/bin', '/usr/bin', '/bin', '/opt/bin'].join(delimiter),
    // Not the home of who runs the server, and no profiles, from nowhere: they could name another endpoint.
    HOME: writableFolder,
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    TMPDIR: writableFolder,
    LANG: 'en_US.UTF-8',
    TZ: 'UTC',
    NODE_PATH: '/opt/nodejs/node_modules',
    LAMBDA_TASK_ROOT: code.taskRoot,
    _HANDLER: code.handler,
    AWS_REGION: server.region,
    AWS_DEFAULT_REGION: server.region,
    AWS_ACCESS_KEY_ID: server.accessKeyId,
    AWS_SECRET_ACCESS_KEY: server.secretAccessKey,
    AWS_SESSION_TOKEN: server.sessionToken,
    AWS_ENDPOINT_URL_CHIME_SDK_MESSAGING: server.messagingEndpoint,
    AWS_ENDPOINT_URL_CHIME_SDK_IDENTITY: server.identityEndpoint,
    AWS_EXECUTION_ENV: `AWS_Lambda_nodejs${process.versions.node.split('.')[0]}.x`,
    AWS_LAMBDA_FUNCTION_NAME: code.functionName,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(memorySizeMb),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${code.functionName}`,
    AWS_LAMBDA_LOG_STREAM_NAME: '[$LATEST]',
    ...code.environment,
    AWS_LAMBDA_RUNTIME_API: runtimeApi,
  }
}
