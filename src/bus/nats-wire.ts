import { hash } from 'node:crypto'
import type { Envelope } from './bus.ts'

/** The content of one message on NATS. */
export type News =
  | { kind: 'event'; envelope: Envelope }
  /** The channel log has reached this number at least; the events are to be read from it. */
  | { kind: 'reached'; channelArn: string; seq: number }
  | { kind: 'joined'; userArn: string; channelArn: string; seq: number }
  | { kind: 'catch up' }

/**
 * Subjects have hashes and no ARNs: NATS gives some characters of ARNs a meaning, and its monitoring would show the
 * users.
 */
export class Subjects {
  readonly #prefix: string

  constructor(prefix: string) {
    if (!/^[\w-]+(\.[\w-]+)*$/.test(prefix)) {
      throw new Error(`A prefix of NATS subjects is words of letters, digits, _ and - with dots between, not ${prefix}`)
    }
    this.#prefix = prefix
  }

  channel(channelArn: string): string {
    return `${this.#prefix}.channel.${hash('sha256', channelArn, 'base64url')}`
  }

  user(userArn: string): string {
    return `${this.#prefix}.user.${hash('sha256', userArn, 'base64url')}`
  }

  get allNodes(): string {
    return `${this.#prefix}.nodes`
  }

  /** A subject without subscribers. */
  get permissionCheck(): string {
    return `${this.#prefix}.trial`
  }
}

/**
 * A line of JSON, then for an event its frame unchanged: encoding the frame's JSON again would cost as much as all the
 * rest.
 */
export function encodeNews(news: News): string {
  if (news.kind !== 'event') return JSON.stringify(news)
  const { frame, ...rest } = news.envelope
  return `${JSON.stringify({ kind: news.kind, ...rest })}\n${frame}`
}

/** Throws if the text is not from a node of this cluster. */
export function decodeNews(text: string): News {
  const end = text.indexOf('\n')
  const { kind, ...rest } = parseLine(end < 0 ? text : text.slice(0, end))
  if (kind === 'event' && end >= 0 && isEvent(rest)) return { kind, envelope: { ...rest, frame: text.slice(end + 1) } }
  if (kind === 'catch up') return { kind }
  const { userArn, channelArn, seq } = rest
  if (kind === 'reached' && isNumbered(rest)) return { kind, channelArn, seq }
  if (kind === 'joined' && isNumbered(rest) && typeof userArn === 'string') return { kind, userArn, channelArn, seq }
  throw new Error(`There is no message of the kind ${kind}`)
}

/** JSON.parse's own error would quote the text, and get into a log. */
function parseLine(line: string) {
  try {
    return JSON.parse(line) ?? {}
  } catch {
    throw new Error('The first line is not JSON')
  }
}

const isNumbered = ({ channelArn, seq }: { channelArn?: unknown; seq?: unknown }): boolean =>
  typeof channelArn === 'string' && Number.isSafeInteger(seq)

const isEvent = (envelope: Partial<Envelope>): envelope is Omit<Envelope, 'frame'> & { seq: number } =>
  typeof envelope.channelArn === 'string' &&
  (envelope.seq === undefined || Number.isSafeInteger(envelope.seq)) &&
  (envelope.audience?.to === 'members' || (envelope.audience?.to === 'users' && Array.isArray(envelope.audience.users)))
