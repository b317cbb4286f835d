import { isIP } from 'node:net'
import { parseArn } from './contract/arn.ts'

interface Form {
  /** Placeholder for the value in the help text. */
  sign: string
  /** Description of a valid value: ends the sentence "… must be". */
  expects: string
  fits(text: string): boolean
}

/** One setting. Its value comes from the flag, else from the variable, else it is the preset. */
export interface Setting {
  variable: string
  /**
   * A secret has no flag, because flags show in the process list. It has a variable with the suffix `_FILE` instead.
   */
  flag?: string
  form: Form
  preset?: string
  about: string
}

const path: Form = { sign: 'PATH', expects: 'a path', fits: (text) => text !== '' }
const host: Form = {
  sign: 'HOST',
  expects: 'a host name or an IP address without brackets, such as 0.0.0.0',
  fits: (text) => isIP(text) !== 0 || /^[\w.-]+$/.test(text),
}
const port: Form = {
  sign: 'PORT',
  expects: 'a number from 0 to 65535, where 0 picks a free port',
  fits: (text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535,
}
const origin: Form = {
  sign: 'URL',
  expects: 'http:// or https:// with a host and perhaps a port, such as http://127.0.0.1:3002',
  fits: (text) => /^https?:\/\/[^\s/?#@\\]+\/?$/.test(text) && URL.canParse(text),
}
/** As browsers send it: without a default port, and in lower case. `*` and wildcards are none. */
const isOrigin = (text: string) => /^https?:\/\/[\w.:[\]-]+$/.test(text) && URL.parse(text)?.origin === text
const origins: Form = {
  sign: 'ORIGIN,…',
  expects: 'origins as browsers send them, with commas between them, such as https://chat.example.org',
  fits: (text) => text !== '' && splitNames(text).every((item) => isOrigin(item)),
}
const appInstance: Form = {
  sign: 'ARN',
  expects: 'the ARN of an AppInstance',
  fits: (text) => parseArn(text)?.kind === 'app-instance',
}
const onOrOff: Form = { sign: 'on|off', expects: 'on or off', fits: (text) => text === 'on' || text === 'off' }
const names: Form = {
  sign: 'NAME,…',
  expects: 'host names or IP addresses with commas between them, such as chat.internal,10.0.0.7',
  fits: (text) => splitNames(text).every((name) => host.fits(name.replace(/^\*\./, ''))),
}
const publicHost: Form = {
  sign: 'HOST[:PORT]',
  expects: 'host or host:port without scheme and path; leave :443 out, because clients sign it but do not send it',
  // A URL drops its default port and rewrites other forms of a host, so this rejects :443, paths and 127.1.
  fits: (text) => /^[\w.:[\]-]+$/.test(text) && URL.parse(`https://${text}`)?.host === text.toLowerCase(),
}
const region: Form = {
  sign: 'REGION',
  expects: 'a region name such as us-east-1',
  fits: (text) => /^[a-z]{2}-[a-z]+-\d$/.test(text),
}
const account: Form = { sign: 'ACCOUNT', expects: '12 digits', fits: (text) => /^\d{12}$/.test(text) }
const functionName: Form = {
  sign: 'TEMPLATE',
  expects: 'a name, in which {name} or {arn} stands for the name or the ARN of the function, such as chat-dev-{name}',
  fits: (text) => /^(?:[\w.:-]|\{name\}|\{arn\}){1,256}$/.test(text),
}
const logLevel: Form = {
  sign: 'LEVEL',
  expects: 'debug, info, warn or error',
  fits: (text) => ['debug', 'info', 'warn', 'error'].includes(text),
}
const logFormat: Form = {
  sign: 'json|pretty',
  expects: 'json or pretty',
  fits: (text) => ['json', 'pretty'].includes(text),
}
const limits: Form = { sign: 'LIMITS', expects: 'off or aws', fits: (text) => ['off', 'aws'].includes(text) }
const accessKeyId: Form = {
  sign: '',
  expects: '16 to 128 letters, digits or underscores',
  fits: (text) => /^[A-Za-z0-9_]{16,128}$/.test(text),
}
const secretAccessKey: Form = {
  sign: '',
  expects: '16 to 128 printable ASCII characters without spaces',
  fits: (text) => /^[!-~]{16,128}$/.test(text),
}
const databaseUrl: Form = {
  sign: '',
  expects: 'a URL such as postgres://carillon:password@db.internal:5432/carillon?sslmode=verify-full',
  fits: (text) => /^postgres(?:ql)?:\/\/\S+\/[^/\s?]+(?:\?\S*)?$/.test(text),
}
const natsUrl: Form = {
  sign: '',
  expects: 'nats:// or tls:// with a host, or several with commas between them, such as nats://a:4222,nats://b:4222',
  fits: (text) => splitNames(text).every((server) => /^(?:nats|tls):\/\/[^\s/?#]+\/?$/.test(server)),
}
const count: Form = {
  sign: 'COUNT',
  expects: 'a whole number from 1 to 1000000',
  fits: (text) => /^[1-9]\d{0,6}$/.test(text) && Number(text) <= 1_000_000,
}
const seconds: Form = {
  sign: 'SECONDS',
  expects: 'a whole number of seconds from 1 to 3600',
  fits: (text) => /^[1-9]\d{0,3}$/.test(text) && Number(text) <= 3600,
}
const userName: Form = {
  sign: 'NAME',
  expects: 'the name of a user of this machine',
  fits: (text) => /^[a-zA-Z_][\w.-]{0,31}\$?$/.test(text),
}
const sessionToken: Form = {
  sign: '',
  expects: 'at most 8192 printable ASCII characters without spaces',
  fits: (text) => /^[!-~]{1,8192}$/.test(text),
}

/** The one list of settings: the parser, the help text and the error messages all use it. */
export const settings = {
  dataDir: {
    variable: 'CARILLON_DATA_DIR',
    flag: '--data-dir',
    form: path,
    preset: './data',
    about: 'folder of the database, the keys and the certificates',
  },
  host: {
    variable: 'CARILLON_HOST',
    flag: '--host',
    form: host,
    preset: '127.0.0.1',
    about: 'address to listen on; 0.0.0.0 is every IPv4 address',
  },
  httpPort: {
    variable: 'CARILLON_HTTP_PORT',
    flag: '--http-port',
    form: port,
    preset: '8080',
    about: 'port for API calls; 0 picks a free one',
  },
  httpsPort: {
    variable: 'CARILLON_HTTPS_PORT',
    flag: '--https-port',
    form: port,
    preset: '8443',
    about: 'port for messaging sessions and API calls over TLS; 0 picks a free one',
  },
  tls: {
    variable: 'CARILLON_TLS',
    flag: '--tls',
    form: onOrOff,
    preset: 'on',
    about: 'off: no HTTPS port; for use behind a proxy that terminates TLS',
  },
  tlsCert: {
    variable: 'CARILLON_TLS_CERT',
    flag: '--tls-cert',
    form: path,
    about: 'your own certificate, in PEM; default: the server issues one',
  },
  tlsKey: {
    variable: 'CARILLON_TLS_KEY',
    flag: '--tls-key',
    form: path,
    about: 'its private key, in PEM; both files are reloaded when they change',
  },
  tlsNames: {
    variable: 'CARILLON_TLS_NAMES',
    flag: '--tls-names',
    form: names,
    about: 'more host names and IP addresses for the issued certificate',
  },
  publicHost: {
    variable: 'CARILLON_PUBLIC_HOST',
    flag: '--public-host',
    form: publicHost,
    about: 'where clients open sessions; default: localhost and the HTTPS port',
  },
  adminPort: {
    variable: 'CARILLON_ADMIN_PORT',
    flag: '--admin-port',
    form: port,
    about: 'port for health checks and metrics; default: none; 0 picks a free one',
  },
  adminHost: {
    variable: 'CARILLON_ADMIN_HOST',
    flag: '--admin-host',
    form: host,
    preset: '127.0.0.1',
    about: 'address of the admin port, which is unauthenticated',
  },
  connections: {
    variable: 'CARILLON_CONNECTIONS',
    flag: '--connections',
    form: count,
    about: 'max. connections to the API and sessions; default: from ulimit -n',
  },
  connectionsPerAddress: {
    variable: 'CARILLON_CONNECTIONS_PER_ADDRESS',
    flag: '--connections-per-address',
    form: count,
    preset: '128',
    about: 'max. unauthenticated connections per address; at most a quarter of all',
  },
  signatureTimeout: {
    variable: 'CARILLON_SIGNATURE_TIMEOUT',
    flag: '--signature-timeout',
    form: seconds,
    preset: '5',
    about: 'seconds for headers, and for a body, on an unauthenticated connection',
  },
  descriptorReserve: {
    variable: 'CARILLON_DESCRIPTOR_RESERVE',
    flag: '--descriptor-reserve',
    form: count,
    preset: '128',
    about: 'file descriptors reserved for store, functions and admin port',
  },
  region: {
    variable: 'CARILLON_REGION',
    flag: '--region',
    form: region,
    preset: 'us-east-1',
    about: 'AWS region in ARNs and signatures',
  },
  account: {
    variable: 'CARILLON_ACCOUNT',
    flag: '--account',
    form: account,
    preset: '000000000000',
    about: 'AWS account in ARNs',
  },
  databaseUrl: {
    variable: 'CARILLON_DATABASE_URL',
    form: databaseUrl,
    about: 'PostgreSQL database that nodes share; default: SQLite in the data folder',
  },
  natsUrl: {
    variable: 'CARILLON_NATS_URL',
    form: natsUrl,
    about: 'NATS server that connects the nodes; may be a list',
  },
  natsCredentials: {
    variable: 'CARILLON_NATS_CREDENTIALS',
    flag: '--nats-credentials',
    form: path,
    about: "NATS credentials file, with the user's token and key",
  },
  natsCa: {
    variable: 'CARILLON_NATS_CA',
    flag: '--nats-ca',
    form: path,
    about: 'CA certificate of the NATS server, in PEM; default: those that Node trusts',
  },
  functions: {
    variable: 'CARILLON_FUNCTIONS',
    flag: '--functions',
    form: path,
    preset: './functions',
    about: 'folder of the Lambda functions that process channel flows',
  },
  functionProcesses: {
    variable: 'CARILLON_FUNCTION_PROCESSES',
    flag: '--function-processes',
    form: count,
    preset: '32',
    about: 'max. processes of all functions in the folder together',
  },
  functionsUser: {
    variable: 'CARILLON_FUNCTIONS_USER',
    flag: '--functions-user',
    form: userName,
    about: 'user to run functions as, if the server may change user',
  },
  waitingMax: {
    variable: 'CARILLON_WAITING_MAX',
    flag: '--waiting-max',
    form: count,
    preset: '10000',
    about: 'max. messages that wait for one function; beyond it sends get 503',
  },
  lambdaEndpoint: {
    variable: 'CARILLON_LAMBDA_ENDPOINT',
    flag: '--lambda-endpoint',
    form: origin,
    about: 'Lambda Invoke endpoint for functions that are not in the folder',
  },
  lambdaFunctionName: {
    variable: 'CARILLON_LAMBDA_FUNCTION_NAME',
    flag: '--lambda-function-name',
    form: functionName,
    preset: '{name}',
    about: 'function name at that endpoint: {name}, {arn}, chat-dev-{name} …',
  },
  lambdaConcurrency: {
    variable: 'CARILLON_LAMBDA_CONCURRENCY',
    flag: '--lambda-concurrency',
    form: count,
    preset: '128',
    about: 'max. concurrent calls to it; 1 for emulators that take one at a time',
  },
  lambdaRegion: {
    variable: 'CARILLON_LAMBDA_REGION',
    flag: '--lambda-region',
    form: region,
    about: "AWS region of those functions; default: the server's",
  },
  lambdaAccessKeyId: {
    variable: 'CARILLON_LAMBDA_ACCESS_KEY_ID',
    form: accessKeyId,
    about: 'access key ID for those calls; default: the root key',
  },
  lambdaSecretAccessKey: {
    variable: 'CARILLON_LAMBDA_SECRET_ACCESS_KEY',
    form: secretAccessKey,
    about: 'secret access key for those calls',
  },
  lambdaSessionToken: {
    variable: 'CARILLON_LAMBDA_SESSION_TOKEN',
    form: sessionToken,
    about: 'session token for those calls, if the key is temporary',
  },
  credsOrigins: {
    variable: 'CARILLON_CREDS_ORIGINS',
    flag: '--creds-origins',
    form: origins,
    about: 'origins of pages that may sign users in by POST /creds; default: off',
  },
  credsAppInstance: {
    variable: 'CARILLON_CREDS_APP_INSTANCE',
    flag: '--creds-app-instance',
    form: appInstance,
    about: 'the AppInstance of the users who sign in by /creds',
  },
  credsPerMinute: {
    variable: 'CARILLON_CREDS_PER_MINUTE',
    flag: '--creds-per-minute',
    form: count,
    preset: '60',
    about: 'max. calls of /creds by one address in a minute',
  },
  logLevel: {
    variable: 'CARILLON_LOG_LEVEL',
    flag: '--log-level',
    form: logLevel,
    preset: 'info',
    about: 'minimum log level: debug, info, warn or error',
  },
  logFormat: {
    variable: 'CARILLON_LOG_FORMAT',
    flag: '--log-format',
    form: logFormat,
    about: 'json or pretty; default: pretty on a terminal, else json',
  },
  limits: {
    variable: 'CARILLON_LIMITS',
    flag: '--limits',
    form: limits,
    preset: 'off',
    about: "aws: enforce AWS's request rates, to test how a client backs off",
  },
  accessKeyId: {
    variable: 'CARILLON_ACCESS_KEY_ID',
    form: accessKeyId,
    about: 'access key ID of the root key; default: made at the first start',
  },
  secretAccessKey: {
    variable: 'CARILLON_SECRET_ACCESS_KEY',
    form: secretAccessKey,
    about: 'secret access key of the root key',
  },
} satisfies Record<string, Setting>

export const allSettings: Setting[] = Object.values(settings)

export function splitNames(text: string): string[] {
  return text === '' ? [] : text.split(',').map((name) => name.trim())
}
