import { isIP } from 'node:net'
import { closest } from 'fastest-levenshtein'
import type { Credentials } from './signature/credentials.ts'

/** All that an operator can choose. */
export interface Config {
  dataDir: string
  host: string
  httpPort: number
  httpsPort: number
  /** What GetMessagingSessionEndpoint answers, `host[:port]`. Undefined: `localhost:` and the port that HTTPS got. */
  publicHost: string | undefined
  region: string
  account: string
  functions: string
  logLevel: string
  /** The root key pair. Undefined: the server makes one at its first start and keeps it. */
  credentials: Credentials | undefined
}

/** The environment or the flags cannot be used. Every problem is named, a line for each. */
export class ConfigError extends Error {
  readonly problems: string[]

  constructor(problems: string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}

interface Form {
  /** What stands for the value in the help text. */
  sign: string
  /** What would be right: ends the sentence "… must be". */
  expects: string
  fits(text: string): boolean
}

/** One thing to choose: by its flag, else by its variable, else it is the preset. */
export interface Setting {
  variable: string
  /** A secret has no flag, since flags show in the process list. It has `_FILE` behind its variable instead. */
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
const publicHost: Form = {
  sign: 'HOST[:PORT]',
  expects: 'host or host:port without scheme and path; leave :443 out, because clients sign it but do not send it',
  // A URL drops its default port and rewrites what is not the plain form, so this refuses :443, paths and 127.1 alike.
  fits: (text) => /^[\w.:[\]-]+$/.test(text) && URL.parse(`https://${text}`)?.host === text.toLowerCase(),
}
const region: Form = {
  sign: 'REGION',
  expects: 'a region name such as us-east-1',
  fits: (text) => /^[a-z]{2}-[a-z]+-\d$/.test(text),
}
const account: Form = { sign: 'ACCOUNT', expects: '12 digits', fits: (text) => /^\d{12}$/.test(text) }
const logLevel: Form = {
  sign: 'LEVEL',
  expects: 'debug, info, warn or error',
  fits: (text) => ['debug', 'info', 'warn', 'error'].includes(text),
}
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

/** The one list of settings: the parser, the help text and the complaints all come from it. */
export const settings = {
  dataDir: {
    variable: 'CARILLON_DATA_DIR',
    flag: '--data-dir',
    form: path,
    preset: './data',
    about: 'the folder of the database, the keys and the certificates',
  },
  host: {
    variable: 'CARILLON_HOST',
    flag: '--host',
    form: host,
    preset: '127.0.0.1',
    about: 'the address to listen on; 0.0.0.0 is every IPv4 address',
  },
  httpPort: {
    variable: 'CARILLON_HTTP_PORT',
    flag: '--http-port',
    form: port,
    preset: '8080',
    about: 'the port for API calls; 0 picks a free one',
  },
  httpsPort: {
    variable: 'CARILLON_HTTPS_PORT',
    flag: '--https-port',
    form: port,
    preset: '8443',
    about: 'the port for messaging sessions and API calls over TLS; 0 picks a free one',
  },
  publicHost: {
    variable: 'CARILLON_PUBLIC_HOST',
    flag: '--public-host',
    form: publicHost,
    about: 'where clients open messaging sessions; else localhost and the HTTPS port',
  },
  region: {
    variable: 'CARILLON_REGION',
    flag: '--region',
    form: region,
    preset: 'us-east-1',
    about: 'the AWS region in ARNs and signatures',
  },
  account: {
    variable: 'CARILLON_ACCOUNT',
    flag: '--account',
    form: account,
    preset: '000000000000',
    about: 'the AWS account in ARNs',
  },
  functions: {
    variable: 'CARILLON_FUNCTIONS',
    flag: '--functions',
    form: path,
    preset: './functions',
    about: 'the folder of the Lambda functions that process channel flows',
  },
  logLevel: {
    variable: 'CARILLON_LOG_LEVEL',
    flag: '--log-level',
    form: logLevel,
    preset: 'info',
    about: 'the least that is logged: debug, info, warn or error',
  },
  accessKeyId: {
    variable: 'CARILLON_ACCESS_KEY_ID',
    form: accessKeyId,
    about: 'the root key pair; one is made at the first start if none is given',
  },
  secretAccessKey: {
    variable: 'CARILLON_SECRET_ACCESS_KEY',
    form: secretAccessKey,
    about: 'its secret half',
  },
} satisfies Record<string, Setting>

const allSettings: Setting[] = Object.values(settings)

type Environment = Record<string, string | undefined>

/** A setting's text and, for complaints, the flag or variable it came from. */
interface Given {
  text: string
  from: string
}

/**
 * The configuration that flags and environment variables make. Warnings name CARILLON_ variables that mean nothing
 * here. Throws a ConfigError that names every problem. `readFile` answers the text of the file in a `_FILE` variable.
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
    if (given && !setting.form.fits(given.text)) problems.push(complaint(setting, given))
    return given?.text ?? setting.preset ?? ''
  }
  const config: Config = {
    dataDir: read(settings.dataDir),
    host: read(settings.host),
    httpPort: Number(read(settings.httpPort)),
    httpsPort: Number(read(settings.httpsPort)),
    publicHost: read(settings.publicHost) || undefined,
    region: read(settings.region),
    account: read(settings.account),
    functions: read(settings.functions),
    logLevel: read(settings.logLevel),
    credentials: pair(read(settings.accessKeyId), read(settings.secretAccessKey)),
  }
  problems.push(...disagreements(config, environment))
  if (problems.length > 0) throw new ConfigError(problems)
  return { config, warnings: unknownVariables(environment) }
}

/** `--flag value` and `--flag=value`; of a flag given twice the last one counts. */
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
    return `${flag} is not a flag, since flags show in the process list: use ${variable} or ${variable}_FILE`
  }
  const known = allSettings.flatMap((setting) => setting.flag ?? [])
  return `${flag} is not a flag; the nearest one is ${closest(flag, known)}`
}

/** An empty variable counts as none: that is how compose files and charts pass on what nobody set. */
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
  if (direct) problems.push(`${direct.from} and ${file.from} are both given: keep one of them`)
  try {
    return { text: readFile(file.text).trim(), from: `the content of ${file.from}` }
  } catch (error) {
    problems.push(`${file.from} cannot be read: ${error instanceof Error ? error.message : error}`)
    return undefined
  }
}

/** Says where, what, and what would be right. A secret is never repeated. */
function complaint(setting: Setting, given: Given): string {
  const what = setting.flag ? `is ${JSON.stringify(given.text)}, but ` : ''
  return `${given.from} ${what}must be ${setting.form.expects}`
}

/** What is wrong only when two settings are seen together. */
function disagreements(config: Config, environment: Environment): string[] {
  const problems: string[] = []
  if (config.httpPort === config.httpsPort && config.httpPort !== 0) {
    problems.push(`HTTP and HTTPS cannot share port ${config.httpPort}: change --http-port or --https-port`)
  }
  const isGiven = ({ variable }: Setting) => Boolean(environment[variable] || environment[`${variable}_FILE`])
  const { accessKeyId, secretAccessKey } = settings
  if (isGiven(accessKeyId) !== isGiven(secretAccessKey)) {
    problems.push(`${accessKeyId.variable} and ${secretAccessKey.variable} belong together: give both, or neither`)
  }
  return problems
}

function pair(accessKeyId: string, secretAccessKey: string): Credentials | undefined {
  return accessKeyId && secretAccessKey ? { accessKeyId, secretAccessKey } : undefined
}

/** Not problems: Kubernetes sets CARILLON_PORT and more like it for every Service that is named carillon. */
function unknownVariables(environment: Environment): string[] {
  const known = allSettings.flatMap(({ variable, flag }) => (flag ? [variable] : [variable, `${variable}_FILE`]))
  return Object.keys(environment)
    .filter((name) => name.startsWith('CARILLON_') && !name.startsWith('CARILLON_TEST_') && !known.includes(name))
    .map((name) => `${name} is not a setting and is ignored; the nearest one is ${closest(name, known)}`)
}
