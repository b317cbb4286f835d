import { isIP } from 'node:net'
import { rateNames } from './api/rates.ts'
import { parseArn } from './contract/arn.ts'
import { readRoles } from './sts/roles.ts'

/** What a setting may be. */
export interface Form {
  /** Placeholder for the value in the help text. */
  sign: string
  /** Description of a valid value: ends the sentence "… must be". */
  expects: string
  fits(text: string): boolean
}

const ratePattern = new RegExp(`^(?:${rateNames.join('|')})=[1-9]\\d{0,5}$`)

export const path: Form = { sign: 'PATH', expects: 'a path', fits: (text) => text !== '' }
export const host: Form = {
  sign: 'HOST',
  expects: 'a host name or an IP address without brackets, such as 0.0.0.0',
  fits: (text) => isIP(text) !== 0 || /^[\w.-]+$/.test(text),
}
export const port: Form = {
  sign: 'PORT',
  expects: 'a number from 0 to 65535, where 0 picks a free port',
  fits: (text) => /^\d{1,5}$/.test(text) && Number(text) <= 65_535,
}
export const portOrOff: Form = {
  sign: 'PORT|off',
  expects: 'off, or a number from 0 to 65535, where 0 picks a free port',
  fits: (text) => text === 'off' || port.fits(text),
}
export const origin: Form = {
  sign: 'URL',
  expects: 'http:// or https:// with a host and perhaps a port, such as http://127.0.0.1:3002',
  fits: (text) => /^https?:\/\/[^\s/?#@\\]+\/?$/.test(text) && URL.canParse(text),
}
/** As browsers send it: without a default port, and in lower case. `*` and wildcards are none. */
const isOrigin = (text: string) => /^https?:\/\/[\w.:[\]-]+$/.test(text) && URL.parse(text)?.origin === text
export const origins: Form = {
  sign: 'ORIGIN,…',
  expects: 'origins as browsers send them, with commas between them, such as https://chat.example.org',
  fits: (text) => text !== '' && splitNames(text).every(isOrigin),
}
export const appInstance: Form = {
  sign: 'ARN',
  expects: 'the ARN of an AppInstance',
  fits: (text) => parseArn(text)?.kind === 'app-instance',
}
export const credsBy: Form = {
  sign: 'function|oidc',
  expects: 'function or oidc',
  fits: (text) => ['function', 'oidc'].includes(text),
}
export const onOrOff: Form = { sign: 'on|off', expects: 'on or off', fits: (text) => text === 'on' || text === 'off' }
export const names: Form = {
  sign: 'NAME,…',
  expects: 'host names or IP addresses with commas between them, such as chat.internal,10.0.0.7',
  fits: (text) => splitNames(text).every((name) => host.fits(name.replace(/^\*\./, ''))),
}
export const publicHost: Form = {
  sign: 'HOST[:PORT]',
  expects: 'host or host:port without scheme and path; leave :443 out, because clients sign it but do not send it',
  // A URL drops its default port and rewrites other forms of a host, so this rejects :443, paths and 127.1.
  fits: (text) => /^[\w.:[\]-]+$/.test(text) && URL.parse(`https://${text}`)?.host === text.toLowerCase(),
}
export const region: Form = {
  sign: 'REGION',
  expects: 'a region name such as us-east-1',
  fits: (text) => /^[a-z]{2}-[a-z]+-\d$/.test(text),
}
export const account: Form = { sign: 'ACCOUNT', expects: '12 digits', fits: (text) => /^\d{12}$/.test(text) }
export const functionName: Form = {
  sign: 'TEMPLATE',
  expects: 'a name, in which {name} or {arn} stands for the name or the ARN of the function, such as chat-dev-{name}',
  fits: (text) => /^(?:[\w.:-]|\{name\}|\{arn\}){1,256}$/.test(text),
}
export const logLevel: Form = {
  sign: 'LEVEL',
  expects: 'debug, info, warn or error',
  fits: (text) => ['debug', 'info', 'warn', 'error'].includes(text),
}
export const logFormat: Form = {
  sign: 'json|pretty',
  expects: 'json or pretty',
  fits: (text) => ['json', 'pretty'].includes(text),
}
export const limits: Form = { sign: 'LIMITS', expects: 'off or aws', fits: (text) => ['off', 'aws'].includes(text) }
export const rates: Form = {
  sign: 'NAME=RATE,…',
  expects: `calls per second by name, such as bearer=50,messages=100; the names are ${rateNames.join(', ')}`,
  fits: (text) => text !== '' && splitNames(text).every((part) => ratePattern.test(part)),
}
export const accessKeyId: Form = {
  sign: '',
  expects: '16 to 128 letters, digits or underscores',
  fits: (text) => /^[A-Za-z0-9_]{16,128}$/.test(text),
}
export const secretAccessKey: Form = {
  sign: '',
  expects: '16 to 128 printable ASCII characters without spaces',
  fits: (text) => /^[!-~]{16,128}$/.test(text),
}
export const databaseUrl: Form = {
  sign: '',
  expects: 'a URL such as postgres://carillon:password@db.internal:5432/carillon?sslmode=verify-full',
  fits: (text) => /^postgres(?:ql)?:\/\/\S+\/[^/\s?]+(?:\?\S*)?$/.test(text),
}
export const natsUrl: Form = {
  sign: '',
  expects: 'nats:// or tls:// with a host, or several with commas between them, such as nats://a:4222,nats://b:4222',
  fits: (text) => splitNames(text).every((server) => /^(?:nats|tls):\/\/[^\s/?#]+\/?$/.test(server)),
}
export const count: Form = {
  sign: 'COUNT',
  expects: 'a whole number from 1 to 1000000',
  fits: (text) => /^[1-9]\d{0,6}$/.test(text) && Number(text) <= 1_000_000,
}
export const seconds: Form = {
  sign: 'SECONDS',
  expects: 'a whole number of seconds from 1 to 3600',
  fits: (text) => /^[1-9]\d{0,3}$/.test(text) && Number(text) <= 3600,
}
export const userName: Form = {
  sign: 'NAME',
  expects: 'the name of a user of this machine',
  fits: (text) => /^[a-zA-Z_][\w.-]{0,31}\$?$/.test(text),
}
export const sessionToken: Form = {
  sign: '',
  expects: 'at most 8192 printable ASCII characters without spaces',
  fits: (text) => /^[!-~]{1,8192}$/.test(text),
}

export const roles: Form = {
  sign: 'NAME=KIND[:ARN],…',
  expects:
    'roles with commas between them: NAME=KIND or NAME=KIND:ARN, where KIND is user, user+directory, operator, reviewer, ' +
    'viewer or callback, and ARN is an AppInstance, or a flow of a callback',
  fits: (text) => readRoles(text) !== undefined,
}
export const issuer: Form = {
  sign: 'URL',
  expects: 'the issuer as its tokens have it, such as https://login.example.com/realms/chat',
  fits: (text) => /^https?:\/\/[^\s?#@\\]+$/.test(text) && URL.canParse(text),
}
export const audiences: Form = {
  sign: 'ID,…',
  expects: 'client ids with commas between them',
  fits: (text) => text !== '' && splitNames(text).every((id) => /^\S{1,255}$/.test(id)),
}
export const claim: Form = {
  sign: 'CLAIM',
  expects: 'the name of a claim, such as sub or preferred_username',
  fits: (text) => /^[!-~]{1,256}$/.test(text),
}

export function splitNames(text: string): string[] {
  return text === '' ? [] : text.split(',').map((name) => name.trim())
}
