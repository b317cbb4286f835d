import type { StsError } from './sts-error.ts'

/** The members of a response. An undefined one is left out. */
export interface Members {
  [name: string]: string | number | Members | undefined
}

const namespace = 'https://sts.amazonaws.com/doc/2011-06-15/'

/** The response of an action in AWS's query protocol. */
export const responseXml = (action: string, result: Members, requestId: string) =>
  document(`${action}Response`, { [`${action}Result`]: result, ResponseMetadata: { RequestId: requestId } })

/** An error response in AWS's query protocol. */
export const errorXml = ({ status, code, message }: StsError, requestId: string) =>
  document('ErrorResponse', {
    Error: { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message },
    RequestId: requestId,
  })

const document = (name: string, members: Members) => `<${name} xmlns="${namespace}">${elements(members)}</${name}>\n`

function elements(members: Members): string {
  return Object.entries(members)
    .filter(([, value]) => value !== undefined)
    .map(
      ([name, value]) => `<${name}>${typeof value === 'object' ? elements(value) : escaped(String(value))}</${name}>`,
    )
    .join('')
}

/** XML 1.0 has no form for control characters. */
const escaped = (text: string) =>
  text
    .replace(/[^\t\n\r\x20-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu, '\uFFFD')
    .replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`)
