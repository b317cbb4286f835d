import { hash } from 'node:crypto'
import type { ChannelRef, Envelope } from './bus.ts'

/** The content of one message on NATS. */
export type BusMessage =
  | { kind: 'event'; envelope: Envelope }
  /** The channel log has reached this number at least; the events are to be read from it. */
  | ({ kind: 'reached'; seq: number } & ChannelRef)
  | ({ kind: 'joined'; userArn: string; seq: number } & ChannelRef)
  /** The user or its memberships have changed. */
  | { kind: 'changed'; userArn: string }
  | { kind: 'catch up' }

/**
 * Each message says which version of this format it has, since nodes are upgraded one after the other. A node reads
 * only its own version. For any other version or an unknown kind it reads the store instead. Four members that every
 * version may have say where: `channelId`, `channelArn`, `seq` and `userArn`. Raise the version whenever a node of the version before would misunderstand a message.
 */
const wireVersion = 1

/**
 * For tests: what a node publishes looks like messages of another release. A node of the release before reads only its own.
 */
export type WireRelease = 'this release' | 'the release before' | 'an unknown kind'

/** The environment variable by which a test chooses it for a whole process. */
export const releaseVariable = 'CARILLON_TEST_WIRE_RELEASE'

const versionOf = (release: WireRelease): number => (release === 'the release before' ? wireVersion - 1 : wireVersion)

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

  channel(channelId: number): string {
    return `${this.#prefix}.channel.${channelId}`
  }

  user(userArn: string): string {
    return `${this.#prefix}.user.${hash('sha256', userArn, 'base64url')}`
  }

  get allNodes(): string {
    return `${this.#prefix}.nodes`
  }

  /** A subject without subscribers. */
  get trial(): string {
    return `${this.#prefix}.trial`
  }
}

/**
 * A line of JSON, then for an event its frame unchanged: encoding the frame's JSON again would cost as much as all the
 * rest.
 */
export function encodeMessage(message: BusMessage, of: WireRelease = 'this release'): string {
  const head = {
    v: versionOf(of),
    kind: of === 'an unknown kind' ? `${message.kind} of another release` : message.kind,
  }
  if (message.kind !== 'event') return JSON.stringify({ ...message, ...head })
  const { frame, ...rest } = message.envelope
  return `${JSON.stringify({ ...head, ...rest })}\n${frame}`
}

/** Undefined if there is nothing to do. Throws if the text is not from a node of this cluster. */
export function decodeMessage(text: string, of: WireRelease = 'this release'): BusMessage | undefined {
  const end = text.indexOf('\n')
  const { v, kind, ...rest } = parseLine(end < 0 ? text : text.slice(0, end))
  if (!Number.isSafeInteger(v) || typeof kind !== 'string') throw new Error('The first line is not a bus message')
  return v === versionOf(of) && isKnown(kind)
    ? readKnown(kind, rest, end < 0 ? undefined : text.slice(end + 1))
    : fallback(rest)
}

const knownKinds = ['event', 'reached', 'joined', 'changed', 'catch up'] as const
const isKnown = (kind: string): kind is BusMessage['kind'] => (knownKinds as readonly string[]).includes(kind)

type Members = Partial<Record<'channelId' | 'channelArn' | 'seq' | 'userArn', unknown>> & Partial<Envelope>

function readKnown(kind: BusMessage['kind'], members: Members, frame: string | undefined): BusMessage {
  if (kind === 'catch up') return { kind }
  if (kind === 'event' && frame !== undefined && isEvent(members)) return { kind, envelope: { ...members, frame } }
  const { userArn } = members as { userArn?: unknown }
  if (kind === 'changed' && typeof userArn === 'string') return { kind, userArn }
  if (isNumbered(members)) {
    const { channelId, channelArn, seq } = members
    if (kind === 'reached') return { kind, channelId, channelArn, seq }
    if (kind === 'joined' && typeof userArn === 'string') return { kind, userArn, channelId, channelArn, seq }
  }
  throw new Error(`A bus message of the kind '${kind}' lacks a member`)
}

/** Which part of the store to read instead of a message of another release. An event without a number has no row to read. */
function fallback(members: Members): BusMessage | undefined {
  const { userArn } = members as { userArn?: unknown }
  if (typeof userArn === 'string') return { kind: 'changed', userArn }
  const { channelId, channelArn, seq } = members
  if (isNumbered(members))
    return { kind: 'reached', channelId: members.channelId, channelArn: members.channelArn, seq: members.seq }
  return channelId === undefined && channelArn === undefined && seq === undefined ? { kind: 'catch up' } : undefined
}

/** JSON.parse's own error would quote the text, and get into a log. */
function parseLine(line: string) {
  try {
    return JSON.parse(line) ?? {}
  } catch {
    throw new Error('The first line is not JSON')
  }
}

const isChannel = ({ channelId, channelArn }: { channelId?: unknown; channelArn?: unknown }): boolean =>
  Number.isSafeInteger(channelId) && typeof channelArn === 'string'

const isNumbered = (members: object): members is ChannelRef & { seq: number } =>
  isChannel(members) && 'seq' in members && Number.isSafeInteger(members.seq)

const isEvent = (envelope: Partial<Envelope>): envelope is Omit<Envelope, 'frame'> =>
  isChannel(envelope) &&
  (envelope.seq === undefined || Number.isSafeInteger(envelope.seq)) &&
  (envelope.audience?.to === 'members' || (envelope.audience?.to === 'users' && Array.isArray(envelope.audience.users)))
