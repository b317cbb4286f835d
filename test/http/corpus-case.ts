import type { Call } from './wire.ts'

/** What there is to call for. */
export interface World {
  appInstanceArn: string
  channelArn: string
  /** The path of that channel, percent-encoded as SDKs do it. */
  channel: string
  /** The path of a message in it that its owner has SENT. */
  message: string
  /** Its owner's ARN. */
  owner: string
  /** A user of another AppInstance. */
  foreigner: string
}

export interface Answer {
  status: number
  /** What x-amzn-ErrorType says, and the `Code` of the body, which HEAD has none of. */
  type?: string
  code?: string
  /** What is in the `Message` of a refusal, or anywhere in the body of a success. */
  text?: RegExp
}

export type Send = (world: World) => Call | Call[] | string

export interface Case {
  name: string
  /** Calls one behind the other on one connection, or bytes as they are. */
  send: Send
  /** None if the server closes the connection without a response. */
  answers: Answer[]
}

export const row = (name: string, send: Send, ...answers: Answer[]): Case => ({ name, send, answers })

export const fine = (text = /"ChannelArn"/): Answer => ({ status: 200, text })
export const refused = (status: number, code: string, text: RegExp, type = `${code}Exception`): Answer => ({
  status,
  type,
  code,
  text,
})
export const badRequest = (text: RegExp, status = 400) => refused(status, 'BadRequest', text)
export const incomplete = (text: RegExp) => refused(400, 'IncompleteSignature', text)
export const invalid = (text: RegExp) => refused(403, 'InvalidSignature', text)
export const violation = (text: RegExp) =>
  badRequest(new RegExp(`^1 validation error detected: Value at '${text.source}`, text.flags))

export const notHttp = badRequest(/^The request is not well-formed HTTP\/1\.1$/)
export const notOneHost = badRequest(/^The request must have one Host header$/)
export const tooLarge = badRequest(/^The request body must have at most 1048576 bytes$/, 413)
export const headTooLarge = badRequest(/^The path and the headers of a request must have at most 32768 bytes$/, 431)
export const notJson = (where: string) => badRequest(new RegExp(`^The request body is not JSON: it ${where}$`))
export const notAnObject = badRequest(/^The request body must be a JSON object$/)
export const notUtf8 = badRequest(/^The request body is not UTF-8: it must be JSON, and not compressed$/)
export const noOperation = refused(404, 'UnknownOperation', /^There is no operation /)
export const mismatch = invalid(/^The request signature we calculated does not match the signature you provided\./)
export const forbidden = refused(403, 'Forbidden', /^You do not have sufficient access to perform this action$/)
export const invalidBearer = refused(
  401,
  'Unauthorized',
  /^An invalid app instance user ARN was supplied for the x-amz-chime-bearer HTTP header\.$/,
  'UnauthorizedClientException',
)

/** DescribeChannel, but for what is unusual about it. */
export const describing =
  (unusual: Partial<Call> = {}): Send =>
  ({ channel, owner }) => ({
    method: 'GET',
    target: channel,
    ...unusual,
    headers: { 'x-amz-chime-bearer': owner, ...unusual.headers },
  })

/** DescribeChannel at another target. */
export const describingAt =
  (target: (world: World) => string): Send =>
  (world) =>
    describing({ target: target(world) })(world)

/** DescribeChannel by another bearer. */
export const describingAs =
  (bearer: (world: World) => string): Send =>
  (world) =>
    describing({ headers: { 'x-amz-chime-bearer': bearer(world) } })(world)

/** GetChannelMessage, or what its query makes of it. */
export const getting = (query: string): Send => describingAt(({ message }) => `${message}?${query}`)

/** UpdateChannel with this body. */
export const updating = (body: string | Uint8Array, unusual: Partial<Call> = {}): Send =>
  describing({
    method: 'PUT',
    body,
    ...unusual,
    headers: { 'content-type': 'application/json', ...unusual.headers },
  })

/** ListChannelFlows, which needs no bearer. */
export const listing =
  (query: (world: World) => string, unusual: Partial<Call> = {}): Send =>
  (world) => ({ method: 'GET', target: `/channel-flows?${query(world)}`, ...unusual })

export const several =
  (...sends: Send[]): Send =>
  (world) =>
    sends.map((send) => send(world) as Call)

/** CreateChannel, of which much is required. */
export const creating = (body: string): Send => describing({ method: 'POST', target: '/channels', body })

export const get = (target: string): Send => describingAt(() => target)
