import * as forms from './setting-forms.ts'

/** One setting. Its value comes from the flag, else from the variable, else it is the preset. */
export interface Setting {
  variable: string
  /**
   * A secret has no flag, because flags show in the process list. It has a variable with the suffix `_FILE` instead.
   */
  flag?: string
  form: forms.Form
  preset?: string
  about: string
}

/** The one list of settings: the parser, the help text and the error messages all use it. */
export const settings = {
  dataDir: {
    variable: 'CARILLON_DATA_DIR',
    flag: '--data-dir',
    form: forms.path,
    preset: './data',
    about: 'folder of the database, the keys and the certificates',
  },
  host: {
    variable: 'CARILLON_HOST',
    flag: '--host',
    form: forms.host,
    preset: '127.0.0.1',
    about: 'address to listen on; 0.0.0.0 is every IPv4 address',
  },
  httpPort: {
    variable: 'CARILLON_HTTP_PORT',
    flag: '--http-port',
    form: forms.port,
    preset: '8080',
    about: 'port for API calls; 0 picks a free one',
  },
  httpsPort: {
    variable: 'CARILLON_HTTPS_PORT',
    flag: '--https-port',
    form: forms.port,
    preset: '8443',
    about: 'port for messaging sessions and API calls over TLS; 0 picks a free one',
  },
  tls: {
    variable: 'CARILLON_TLS',
    flag: '--tls',
    form: forms.onOrOff,
    preset: 'on',
    about: 'off: no HTTPS port; for use behind a proxy that terminates TLS',
  },
  tlsCert: {
    variable: 'CARILLON_TLS_CERT',
    flag: '--tls-cert',
    form: forms.path,
    about: 'your own certificate, in PEM; default: the server issues one',
  },
  tlsKey: {
    variable: 'CARILLON_TLS_KEY',
    flag: '--tls-key',
    form: forms.path,
    about: 'its private key, in PEM; both files are reloaded when they change',
  },
  tlsNames: {
    variable: 'CARILLON_TLS_NAMES',
    flag: '--tls-names',
    form: forms.names,
    about: 'more host names and IP addresses for the issued certificate',
  },
  publicHost: {
    variable: 'CARILLON_PUBLIC_HOST',
    flag: '--public-host',
    form: forms.publicHost,
    about: 'where clients open sessions; default: localhost and the HTTPS port',
  },
  adminPort: {
    variable: 'CARILLON_ADMIN_PORT',
    flag: '--admin-port',
    form: forms.portOrOff,
    preset: '9080',
    about: 'port of the console, health checks and metrics; 0 picks a free one',
  },
  adminHost: {
    variable: 'CARILLON_ADMIN_HOST',
    flag: '--admin-host',
    form: forms.host,
    preset: '127.0.0.1',
    about: 'address of the admin port; other than this machine: with TLS, or a proxy',
  },
  adminNames: {
    variable: 'CARILLON_ADMIN_NAMES',
    flag: '--admin-names',
    form: forms.names,
    about: 'more host names by which the admin port is called, besides localhost',
  },
  connections: {
    variable: 'CARILLON_CONNECTIONS',
    flag: '--connections',
    form: forms.count,
    about: 'max. connections to the API and sessions; default: from ulimit -n',
  },
  connectionsPerAddress: {
    variable: 'CARILLON_CONNECTIONS_PER_ADDRESS',
    flag: '--connections-per-address',
    form: forms.count,
    preset: '128',
    about: 'max. unauthenticated connections per address; at most a quarter of all',
  },
  signatureTimeout: {
    variable: 'CARILLON_SIGNATURE_TIMEOUT',
    flag: '--signature-timeout',
    form: forms.seconds,
    preset: '5',
    about: 'seconds for headers, and for a body, on an unauthenticated connection',
  },
  descriptorReserve: {
    variable: 'CARILLON_DESCRIPTOR_RESERVE',
    flag: '--descriptor-reserve',
    form: forms.count,
    preset: '128',
    about: 'file descriptors reserved for store, functions and admin port',
  },
  region: {
    variable: 'CARILLON_REGION',
    flag: '--region',
    form: forms.region,
    preset: 'us-east-1',
    about: 'AWS region in ARNs and signatures',
  },
  account: {
    variable: 'CARILLON_ACCOUNT',
    flag: '--account',
    form: forms.account,
    preset: '000000000000',
    about: 'AWS account in ARNs',
  },
  databaseUrl: {
    variable: 'CARILLON_DATABASE_URL',
    form: forms.databaseUrl,
    about: 'PostgreSQL database that nodes share; default: SQLite in the data folder',
  },
  natsUrl: {
    variable: 'CARILLON_NATS_URL',
    form: forms.natsUrl,
    about: 'NATS server that connects the nodes; may be a list',
  },
  natsCredentials: {
    variable: 'CARILLON_NATS_CREDENTIALS',
    flag: '--nats-credentials',
    form: forms.path,
    about: "NATS credentials file, with the user's token and key",
  },
  natsCa: {
    variable: 'CARILLON_NATS_CA',
    flag: '--nats-ca',
    form: forms.path,
    about: 'CA certificate of the NATS server, in PEM; default: those that Node trusts',
  },
  functions: {
    variable: 'CARILLON_FUNCTIONS',
    flag: '--functions',
    form: forms.path,
    preset: './functions',
    about: 'folder of the Lambda functions that process channel flows',
  },
  functionProcesses: {
    variable: 'CARILLON_FUNCTION_PROCESSES',
    flag: '--function-processes',
    form: forms.count,
    preset: '32',
    about: 'max. processes of all functions in the folder together',
  },
  functionsUser: {
    variable: 'CARILLON_FUNCTIONS_USER',
    flag: '--functions-user',
    form: forms.userName,
    about: 'user to run functions as, if the server may change user',
  },
  waitingMax: {
    variable: 'CARILLON_WAITING_MAX',
    flag: '--waiting-max',
    form: forms.count,
    preset: '10000',
    about: 'max. messages that wait for one function; beyond it sends get 503',
  },
  lambdaEndpoint: {
    variable: 'CARILLON_LAMBDA_ENDPOINT',
    flag: '--lambda-endpoint',
    form: forms.origin,
    about: 'Lambda Invoke endpoint for functions that are not in the folder',
  },
  lambdaFunctionName: {
    variable: 'CARILLON_LAMBDA_FUNCTION_NAME',
    flag: '--lambda-function-name',
    form: forms.functionName,
    preset: '{name}',
    about: 'function name at that endpoint: {name}, {arn}, chat-dev-{name} …',
  },
  lambdaConcurrency: {
    variable: 'CARILLON_LAMBDA_CONCURRENCY',
    flag: '--lambda-concurrency',
    form: forms.count,
    preset: '128',
    about: 'max. concurrent calls to it; 1 for emulators that take one at a time',
  },
  lambdaRegion: {
    variable: 'CARILLON_LAMBDA_REGION',
    flag: '--lambda-region',
    form: forms.region,
    about: "AWS region of those functions; default: the server's",
  },
  lambdaAccessKeyId: {
    variable: 'CARILLON_LAMBDA_ACCESS_KEY_ID',
    form: forms.accessKeyId,
    about: 'access key ID for those calls; default: the root key',
  },
  lambdaSecretAccessKey: {
    variable: 'CARILLON_LAMBDA_SECRET_ACCESS_KEY',
    form: forms.secretAccessKey,
    about: 'secret access key for those calls',
  },
  lambdaSessionToken: {
    variable: 'CARILLON_LAMBDA_SESSION_TOKEN',
    form: forms.sessionToken,
    about: 'session token for those calls, if the key is temporary',
  },
  credsOrigins: {
    variable: 'CARILLON_CREDS_ORIGINS',
    flag: '--creds-origins',
    form: forms.origins,
    about: 'origins of pages that may sign users in by POST /creds; default: off',
  },
  credsAppInstance: {
    variable: 'CARILLON_CREDS_APP_INSTANCE',
    flag: '--creds-app-instance',
    form: forms.appInstance,
    about: 'the AppInstance of the users who sign in by /creds',
  },
  credsBy: {
    variable: 'CARILLON_CREDS_BY',
    flag: '--creds-by',
    form: forms.credsBy,
    preset: 'function',
    about: 'who says whose token it is: function (creds), or oidc (--oidc-issuer)',
  },
  credsPerMinute: {
    variable: 'CARILLON_CREDS_PER_MINUTE',
    flag: '--creds-per-minute',
    form: forms.count,
    preset: '60',
    about: 'max. calls of /creds by one address in a minute',
  },
  logLevel: {
    variable: 'CARILLON_LOG_LEVEL',
    flag: '--log-level',
    form: forms.logLevel,
    preset: 'info',
    about: 'minimum log level: debug, info, warn or error',
  },
  logFormat: {
    variable: 'CARILLON_LOG_FORMAT',
    flag: '--log-format',
    form: forms.logFormat,
    about: 'json or pretty; default: pretty on a terminal, else json',
  },
  limits: {
    variable: 'CARILLON_LIMITS',
    flag: '--limits',
    form: forms.limits,
    preset: 'off',
    about: "aws: enforce AWS's request rates, to test how a client backs off",
  },
  rates: {
    variable: 'CARILLON_RATES',
    flag: '--rates',
    form: forms.rates,
    about: "with --limits aws: rates other than AWS's, such as bearer=50,messages=100",
  },
  stsRoles: {
    variable: 'CARILLON_STS_ROLES',
    flag: '--sts-roles',
    form: forms.roles,
    about: 'roles for AssumeRole: NAME=user:APP_INSTANCE_ARN and so on, with commas',
  },
  oidcIssuer: {
    variable: 'CARILLON_OIDC_ISSUER',
    flag: '--oidc-issuer',
    form: forms.issuer,
    about: 'OpenID Connect issuer whose ID tokens AssumeRoleWithWebIdentity accepts',
  },
  oidcAudience: {
    variable: 'CARILLON_OIDC_AUDIENCE',
    flag: '--oidc-audience',
    form: forms.audiences,
    about: 'client id that those tokens must be for; may be a list',
  },
  oidcUserClaim: {
    variable: 'CARILLON_OIDC_USER_CLAIM',
    flag: '--oidc-user-claim',
    form: forms.claim,
    preset: 'sub',
    about: 'claim of those tokens that has the AppInstanceUserId',
  },
  accessKeyId: {
    variable: 'CARILLON_ACCESS_KEY_ID',
    form: forms.accessKeyId,
    about: 'access key ID of the root key; default: made at the first start',
  },
  secretAccessKey: {
    variable: 'CARILLON_SECRET_ACCESS_KEY',
    form: forms.secretAccessKey,
    about: 'secret access key of the root key',
  },
} satisfies Record<string, Setting>

export const allSettings: Setting[] = Object.values(settings)
