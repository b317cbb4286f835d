import type { RateSettings } from './api/rates.ts'
import type { NatsServers } from './bus/nats-options.ts'
import type { Credentials } from './keys/key.ts'
import type { WebIdentitySettings } from './keys/web-identity.ts'
import { nearest } from './near-names.ts'
import { isLoopback } from './runtime/listening.ts'
import { splitNames } from './setting-forms.ts'
import { allSettings, type Setting, settings } from './settings.ts'
import { type Role, readRoles } from './sts/roles.ts'
import type { CertificateFiles } from './tls/certificate-files.ts'

/** The settings of a server, as values. */
export interface Config {
  dataDir: string
  host: string
  httpPort: number
  httpsPort: number
  /** False behind a proxy that terminates TLS: then there is no HTTPS listener. */
  tls: boolean
  /** The paths of PEM files. Undefined: the server issues a certificate and keeps it. */
  tlsFiles: CertificateFiles | undefined
  /** More host names in the issued certificate, besides those that the server knows. */
  tlsNames: string[]
  /**
   * The endpoint that GetMessagingSessionEndpoint returns, `host[:port]`. Undefined: `localhost:` and the port of
   * HTTPS, or of HTTP if there is no TLS.
   */
  publicHost: string | undefined
  /** The port for the console, health checks and metrics. Undefined: none. */
  adminPort: number | undefined
  /** False for the preset port, in whose place a free one is taken if another program has it. */
  isAdminPortGiven: boolean
  adminHost: string
  /** Further host names by which the admin port is called. */
  adminNames: string[]
  /** Connections to the API and the sessions in all. Undefined: as many as the limit on file descriptors leaves. */
  connections: number | undefined
  /** Unauthenticated connections of one address; never more than a quarter of all. */
  connectionsPerAddress: number
  /** Time limit for the headers, and for the body, of an unauthenticated connection. */
  signatureTimeoutMs: number
  /** File descriptors that connections leave for the store, functions and the admin port. */
  descriptorReserve: number
  region: string
  account: string
  /** A PostgreSQL that several nodes may share. Undefined: SQLite, in the data folder. */
  databaseUrl: string | undefined
  /** The bus between the nodes. Undefined: this is the only node. */
  nats: NatsServers | undefined
  functions: string
  /** Processes of all functions in the folder together. */
  functionProcesses: number
  /** The user that functions run as. Undefined: the server's own. */
  functionsUser: string | undefined
  /** Messages that may wait for one function. */
  waitingMax: number
  /** The endpoint for functions that are not in the folder. Undefined: none. */
  lambda: LambdaConfig | undefined
  /** `POST /creds`. Undefined: off. */
  creds: CredsConfig | undefined
  logLevel: string
  /** Undefined: pretty on a terminal, else JSON. */
  logFormat: 'json' | 'pretty' | undefined
  /** Whether AWS's request rates are enforced. */
  limits: 'off' | 'aws'
  /** Rates that differ from AWS's. */
  rates: RateSettings
  /** The keys that AssumeRole and AssumeRoleWithWebIdentity issue. */
  stsRoles: readonly Role[]
  /** The identity provider of AssumeRoleWithWebIdentity. Undefined: none. */
  oidc: WebIdentitySettings | undefined
  /** The root key pair. Undefined: the server makes one at its first start and keeps it. */
  credentials: Credentials | undefined
}

interface CredsConfig {
  /** Of the pages that may call it, as browsers send them. */
  origins: string[]
  /** The AppInstance of the users. */
  appInstanceArn: string
  /** Calls of one address in a minute. */
  callsPerMinute: number
  /** Who says whose token it is: the operator's function, or the claims of an ID token. */
  by: 'function' | 'oidc'
}

interface LambdaConfig {
  endpoint: string
  /** The endpoint's name for a function, with `{name}` or `{arn}` in it. */
  functionName: string
  /** Calls in flight, of all functions together. */
  concurrency: number
  /** Undefined: the server's. */
  region: string | undefined
  /** Undefined: the root key pair, because emulators do not check it. */
  credentials: Credentials | undefined
}

/** Other machines reach the admin port over TLS only: the server's own, or that of a proxy in front of it. */
export const adminHasTls = ({ tls, adminHost }: Pick<Config, 'tls' | 'adminHost'>): boolean =>
  tls && !isLoopback(adminHost)

/** The environment or the flags are not valid. Each line of the message is one problem. */
export class ConfigError extends Error {
  readonly problems: string[]

  constructor(problems: string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

type Environment = Record<string, string | undefined>

/** A setting's text and, for error messages, its flag or variable. */
interface Given {
  text: string
  from: string
}

/**
 * Reads the configuration from flags and environment variables. Warnings name unknown CARILLON_ variables, and settings
 * that are allowed but probably a mistake. Throws a ConfigError that names every problem. `readFile` returns the text
 * of the file in a `_FILE` variable.
 */
export function readConfig(
  args: string[],
  environment: Environment,
  readFile: (path: string) => string,
): { config: Config; warnings: string[] } {
  const problems: string[] = []
  const flags = readFlags(args, problems)
  const read = (setting: Setting): string => {
    const given = setting.flag
      ? (flags.get(setting.flag) ?? readVariable(setting.variable, environment))
      : readSecret(setting.variable, environment, readFile, problems)
    if (given && !setting.form.fits(given.text)) problems.push(problemOf(setting, given))
    return given?.text ?? setting.preset ?? ''
  }
  const isGiven = ({ flag, variable }: Setting) =>
    Boolean(environment[variable] || (flag ? flags.has(flag) : environment[`${variable}_FILE`]))
  const config: Config = {
    dataDir: read(settings.dataDir),
    host: read(settings.host),
    httpPort: Number(read(settings.httpPort)),
    httpsPort: Number(read(settings.httpsPort)),
    tls: read(settings.tls) !== 'off',
    tlsFiles: certificateFiles(read(settings.tlsCert), read(settings.tlsKey)),
    tlsNames: splitNames(read(settings.tlsNames)),
    publicHost: read(settings.publicHost) || undefined,
    adminPort: portUnlessOff(read(settings.adminPort)),
    isAdminPortGiven: isGiven(settings.adminPort),
    adminHost: read(settings.adminHost),
    adminNames: splitNames(read(settings.adminNames)),
    connections: optionalNumber(read(settings.connections)),
    connectionsPerAddress: Number(read(settings.connectionsPerAddress)),
    signatureTimeoutMs: Number(read(settings.signatureTimeout)) * 1000,
    descriptorReserve: Number(read(settings.descriptorReserve)),
    region: read(settings.region),
    account: read(settings.account),
    databaseUrl: read(settings.databaseUrl) || undefined,
    nats: natsServers(read),
    functions: read(settings.functions),
    functionProcesses: Number(read(settings.functionProcesses)),
    functionsUser: read(settings.functionsUser) || undefined,
    waitingMax: Number(read(settings.waitingMax)),
    lambda: lambdaConfig(read),
    creds: credsConfig(read),
    logLevel: read(settings.logLevel),
    logFormat: (read(settings.logFormat) || undefined) as Config['logFormat'],
    limits: read(settings.limits) === 'aws' ? 'aws' : 'off',
    rates: ratesOf(read(settings.rates)),
    stsRoles: rolesOf(read(settings.stsRoles)),
    oidc: webIdentitySettings(read),
    credentials: pair(read(settings.accessKeyId), read(settings.secretAccessKey)),
  }
  problems.push(...conflicts(config, isGiven))
  if (problems.length > 0) throw new ConfigError(problems)
  return { config, warnings: [...unknownVariables(environment), ...suspicions(config)] }
}

/** `--flag value` and `--flag=value`; if a flag is given twice, the last one counts. */
function readFlags(args: string[], problems: string[]): Map<string, Given> {
  const flags = new Map<string, Given>()
  const rest = [...args]
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (!arg.startsWith('-')) {
      problems.push(`${JSON.stringify(arg)} is not expected here: settings are given as --flag value`)
      continue
    }
    const [flag = '', ...inline] = arg.split('=')
    const text = inline.length > 0 ? inline.join('=') : rest[0]?.startsWith('--') ? undefined : rest.shift()
    const setting = allSettings.find((candidate) => candidate.flag === flag)
    if (!setting) problems.push(unknownFlag(flag))
    else if (text === undefined) problems.push(`${flag} has no value: it must be ${setting.form.expects}`)
    else flags.set(flag, { text, from: flag })
  }
  return flags
}

function unknownFlag(flag: string): string {
  const variable = `CARILLON_${flag.slice(2).replaceAll('-', '_').toUpperCase()}`
  if (allSettings.some((setting) => setting.variable === variable)) {
    return `${flag} is not a flag, because flags show in the process list: use ${variable} or ${variable}_FILE`
  }
  const known = allSettings.flatMap((setting) => setting.flag ?? [])
  return `${flag} is not a flag${nearest(flag, known)}`
}

/** An empty variable counts as none, because compose files and charts pass on unset variables that way. */
function readVariable(variable: string, environment: Environment): Given | undefined {
  const text = environment[variable]
  return text ? { text, from: variable } : undefined
}

/** The variable itself, or the trimmed content of the file that the variable with `_FILE` names. */
function readSecret(
  variable: string,
  environment: Environment,
  readFile: (path: string) => string,
  problems: string[],
): Given | undefined {
  const direct = readVariable(variable, environment)
  const file = readVariable(`${variable}_FILE`, environment)
  if (!file) return direct
  if (direct) problems.push(`${direct.from} and ${file.from} are both set: keep one of them`)
  try {
    return { text: readFile(file.text).trim(), from: `the content of ${file.from}` }
  } catch (error) {
    problems.push(`${file.from} cannot be read: ${error instanceof Error ? error.message : error}`)
    return undefined
  }
}

/** Says where, what, and what would be right. A secret is never repeated. */
function problemOf(setting: Setting, given: Given): string {
  const what = setting.flag ? `is ${JSON.stringify(given.text)}, but ` : ''
  return `${given.from} ${what}must be ${setting.form.expects}`
}

/** Problems of two settings that contradict each other. */
function conflicts(config: Config, isGiven: (setting: Setting) => boolean): string[] {
  const problems: string[] = []
  const { accessKeyId, secretAccessKey, tls, tlsCert, tlsKey, tlsNames } = settings
  const { lambdaEndpoint, lambdaFunctionName, lambdaRegion, lambdaConcurrency } = settings
  const { lambdaAccessKeyId, lambdaSecretAccessKey, lambdaSessionToken } = settings
  const { databaseUrl, natsUrl, natsCredentials, natsCa } = settings
  if (config.tls && config.httpPort === config.httpsPort && config.httpPort !== 0) {
    problems.push(`HTTP and HTTPS cannot share port ${config.httpPort}: change --http-port or --https-port`)
  }
  if (
    config.adminPort &&
    config.isAdminPortGiven &&
    [config.httpPort, config.tls && config.httpsPort].includes(config.adminPort)
  ) {
    problems.push(`the API and the admin port cannot share port ${config.adminPort}: change --admin-port`)
  }
  const pairs: [Setting, Setting][] = [
    [accessKeyId, secretAccessKey],
    [tlsCert, tlsKey],
    [settings.credsOrigins, settings.credsAppInstance],
    [lambdaAccessKeyId, lambdaSecretAccessKey],
    [settings.oidcIssuer, settings.oidcAudience],
  ]
  for (const [one, other] of pairs) {
    if (isGiven(one) === isGiven(other)) continue
    problems.push(`${one.variable} and ${other.variable} belong together: set both, or neither`)
  }
  const dependents: [Setting, Setting][] = [
    [settings.credsPerMinute, settings.credsOrigins],
    [settings.credsBy, settings.credsOrigins],
    [lambdaFunctionName, lambdaEndpoint],
    [lambdaRegion, lambdaEndpoint],
    [lambdaConcurrency, lambdaEndpoint],
    [lambdaAccessKeyId, lambdaEndpoint],
    [lambdaSessionToken, lambdaAccessKeyId],
    [natsUrl, databaseUrl],
    [natsCredentials, natsUrl],
    [natsCa, natsUrl],
    [settings.oidcUserClaim, settings.oidcIssuer],
  ]
  for (const [one, other] of dependents) {
    if (!isGiven(one) || isGiven(other)) continue
    problems.push(`${one.variable} has no effect without ${other.variable}: set both, or neither`)
  }
  if (config.creds?.by === 'oidc' && !config.oidc) {
    problems.push(`${settings.credsBy.variable}=oidc needs ${settings.oidcIssuer.variable}`)
  }
  if (isGiven(settings.rates) && config.limits === 'off') {
    problems.push(
      `${settings.rates.variable} has no effect without ${settings.limits.variable}=aws: set both, or neither`,
    )
  }
  if (config.adminPort === undefined) {
    const idle = [settings.adminHost, settings.adminNames].filter(isGiven)
    const off = `${settings.adminPort.variable}=off`
    problems.push(...idle.map(({ variable }) => `${variable} has no effect with ${off}: drop one of them`))
  }
  if (!config.tls) {
    const idle = [tlsCert, tlsKey, tlsNames].filter(isGiven)
    problems.push(...idle.map(({ variable }) => `${variable} has no effect with ${tls.variable}=off: drop one of them`))
  } else if (config.tlsFiles && isGiven(tlsNames)) {
    problems.push(`${tlsNames.variable} has no effect with ${tlsCert.variable}, which has its names: drop one of them`)
  }
  return problems
}

const ratesOf = (text: string): RateSettings =>
  Object.fromEntries(
    splitNames(text)
      .map((part) => part.split('='))
      .map(([name, rate]) => [name, Number(rate)]),
  )

const portUnlessOff = (text: string) => (text === 'off' ? undefined : Number(text))

const optionalNumber = (text: string) => (text === '' ? undefined : Number(text))

function certificateFiles(certificate: string, key: string): CertificateFiles | undefined {
  return certificate && key ? { certificate, key } : undefined
}

function natsServers(read: (setting: Setting) => string): NatsServers | undefined {
  const servers = splitNames(read(settings.natsUrl))
  const credentialsFile = read(settings.natsCredentials)
  const caFile = read(settings.natsCa)
  if (servers.length === 0) return undefined
  return { servers, ...(credentialsFile && { credentialsFile }), ...(caFile && { caFile }) }
}

function credsConfig(read: (setting: Setting) => string): CredsConfig | undefined {
  const origins = splitNames(read(settings.credsOrigins))
  const appInstanceArn = read(settings.credsAppInstance)
  const callsPerMinute = Number(read(settings.credsPerMinute))
  const by = read(settings.credsBy) === 'oidc' ? 'oidc' : 'function'
  return origins.length > 0 ? { origins, appInstanceArn, callsPerMinute, by } : undefined
}

const rolesOf = (text: string): readonly Role[] => (text === '' ? [] : (readRoles(text) ?? []))

function webIdentitySettings(read: (setting: Setting) => string): WebIdentitySettings | undefined {
  const issuer = read(settings.oidcIssuer)
  const audiences = splitNames(read(settings.oidcAudience))
  return issuer ? { issuer, audiences, userClaim: read(settings.oidcUserClaim) } : undefined
}

function lambdaConfig(read: (setting: Setting) => string): LambdaConfig | undefined {
  const endpoint = read(settings.lambdaEndpoint)
  const functionName = read(settings.lambdaFunctionName)
  const concurrency = Number(read(settings.lambdaConcurrency))
  const region = read(settings.lambdaRegion) || undefined
  const keys = pair(read(settings.lambdaAccessKeyId), read(settings.lambdaSecretAccessKey))
  const sessionToken = read(settings.lambdaSessionToken)
  const credentials = keys && { ...keys, ...(sessionToken && { sessionToken }) }
  return endpoint ? { endpoint, functionName, concurrency, region, credentials } : undefined
}

function pair(accessKeyId: string, secretAccessKey: string): Credentials | undefined {
  return accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined
}

/** Warnings about settings that are allowed but probably a mistake. */
function suspicions({ tls, publicHost, httpPort, databaseUrl, nats, oidc }: Config): string[] {
  const warnings: string[] = []
  if (!tls && publicHost === undefined) {
    const { variable } = settings.publicHost
    warnings.push(
      `without ${variable} clients open messaging sessions at wss://localhost:${httpPort}, where no listener has TLS`,
    )
  }
  if (oidc?.issuer.startsWith('http:')) {
    warnings.push(
      `the keys of ${oidc.issuer} are fetched without TLS: who controls the network can sign in as any user`,
    )
  }
  if (databaseUrl !== undefined && !nats) {
    warnings.push(
      `without ${settings.natsUrl.variable} this is the only node on its database: a second one will not start`,
    )
  }
  return warnings
}

/**
 * Warnings, not problems: Kubernetes sets CARILLON_PORT and similar variables for every Service that is named carillon.
 */
function unknownVariables(environment: Environment): string[] {
  const known = allSettings.flatMap(({ variable, flag }) => (flag ? [variable] : [variable, `${variable}_FILE`]))
  return Object.keys(environment)
    .filter((name) => name.startsWith('CARILLON_') && !name.startsWith('CARILLON_TEST_') && !known.includes(name))
    .map((name) => `${name} is not a setting and is ignored${nearestVariable(name, known)}`)
}

/** Compares the names without their common prefix, CARILLON_. */
function nearestVariable(name: string, known: string[]): string {
  const prefix = 'CARILLON_'
  const rest = (text: string) => text.slice(prefix.length)
  return nearest(rest(name), known.map(rest)).replaceAll(/[A-Z]\w+/g, (found) => prefix + found)
}
