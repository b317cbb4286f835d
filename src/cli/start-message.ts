import type { Endpoint } from '../runtime/endpoint-files.ts'
import type { RunningServer } from '../server.ts'

/**
 * The text that `carillon serve` prints when it is ready, to paste into a shell. Programs can wait for its first line,
 * `carillon ready …`. The secret is in a file, never here.
 */
export function startMessage({
  endpoint,
  files,
  functions,
  link,
}: Pick<RunningServer, 'endpoint' | 'files' | 'functions'> & { link?: string | undefined }): string {
  return `carillon ready at ${[endpoint.http, endpoint.https].filter(Boolean).join(' and ')}

For AWS SDKs and the AWS CLI:

  unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN AWS_REGION AWS_DEFAULT_REGION
  export AWS_CONFIG_FILE=${shellWord(files.config)}
  export AWS_SHARED_CREDENTIALS_FILE=${shellWord(files.credentials)}
  export AWS_PROFILE=carillon

Old clients, such as AWS CLI 2.9 and boto3 1.26 of Debian 12, ignore the endpoint
in that file and would call AWS. Name it in the command or in the code:

  aws --endpoint-url ${endpoint.http} chime-sdk-messaging …

${sessionsMessage(endpoint)}
Functions of channel flows: ${functions}
${endpoint.admin ? `Health and metrics: ${endpoint.admin}/readyz and ${endpoint.admin}/metrics\n` : ''}${consoleMessage(endpoint, link)}`
}

/** A link is printed on a terminal only: logs are kept, and others read them. */
function consoleMessage({ console: url }: Endpoint, link: string | undefined): string {
  if (link) return `Console, to watch messages being held: ${link}\n`
  return url ? 'Console: npx carillon console prints a link\n' : ''
}

function sessionsMessage({ http, https, wss, ca }: Endpoint): string {
  if (ca) {
    return `For messaging sessions in Node:

  export NODE_EXTRA_CA_CERTS=${shellWord(ca)}

For messaging sessions in a browser, open https://${wss}/ once and accept
the certificate.
`
  }
  return https
    ? `Messaging sessions are opened at wss://${wss}/connect
`
    : `Messaging sessions are opened at wss://${wss}/connect, which a proxy
forwards to ${http}
`
}

/** A path as one word of a shell command. */
function shellWord(text: string): string {
  return /^[\w./:@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
