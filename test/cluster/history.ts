import type { Audience } from '../../src/store/channel-event.ts'
import type { MessageRow, StepRow } from '../../src/store/tables.ts'

/*
 * What a run was told, and what it left behind: plain data, so that it can be written to a file and judged again. Times
 * are milliseconds since the epoch, by the clock of the one machine that everything ran on.
 */

export interface History {
  channels: ChannelFacts[]
  sends: Send[]
  acts: Act[]
  periods: Period[]
  looks: Look[]
  /** What the cluster went through. */
  troubles: Trouble[]
  end: FinalState
}

/** A fault, from its beginning until all was back; a kill is over at once. */
export interface Trouble {
  from: number
  to: number
}

/** Its founders: members from before the first send. The log says when others join and leave. */
export interface ChannelFacts {
  channelArn: string
  memberArns: string[]
}

export type Outcome = 'SENT' | 'DENIED' | 'FAILED'

/** One message that a client wanted to send, said again with its token until it was answered. No two have one text. */
export interface Send {
  token: string
  channelArn: string
  senderArn: string
  persistence: 'PERSISTENT' | 'NON_PERSISTENT'
  /** Whether a flow holds it, and it begins as PENDING. */
  held: boolean
  text: string
  /** How it must end, and what recipients may then read; undefined if they may read nothing of it. */
  outcome: Outcome
  released: string | undefined
  /** The MessageId of every 201 that arrived; none if the client never learned what became of it. */
  messageIds: string[]
  change?: Change
}

/** What a client did to a sent message later, once at most. */
export interface Change {
  way: 'edit' | 'redact' | 'delete'
  /** The new text of an edit, as its sender wrote it. */
  text?: string
  /** The new text as recipients may read it. */
  released?: string
  acknowledged: boolean
  /** How often the client has called, at most: an edit has no token, and each call that arrives is an edit. */
  attempts: number
}

/** An acknowledged join or leave, or deletion of a channel, as the log must have it. */
export type Act = Pick<SeenEvent, 'channelArn' | 'eventType' | 'subject'>

/** One connection of a messaging session, and what it was told, in that order. */
export interface Period {
  session: string
  userArn: string
  /** When SESSION_ESTABLISHED arrived. */
  establishedAt: number
  /** When the client noticed that it was lost; undefined if it was open to the end, all news having arrived. */
  closedAt: number | undefined
  seen: SeenEvent[]
}

export interface SeenEvent {
  channelArn: string
  eventType: string
  /** The MessageId; the ARN of the member of a membership, those of a batch as JSON, or that of the channel. */
  subject: string
  text?: string
}

/** What a client found when it asked, or was sent as it connected; the oldest first. */
export interface Look {
  way: 'list' | 'get' | 'prefetch'
  userArn: string
  channelArn: string
  /** The whole history, read after everything had ended. */
  whole: boolean
  messages: SeenMessage[]
}

export interface SeenMessage {
  messageId: string
  status: MessageRow['status']
  text: string | undefined
}

/** The rows, when everything has ended. */
export interface FinalState {
  messages: StoredMessage[]
  log: LogEntry[]
  steps: StoredStep[]
}

export interface StoredMessage extends SeenMessage {
  channelArn: string
}

export interface LogEntry {
  channelArn: string
  seq: number
  eventType: string
  audience: Audience
  subject: string
  createdAt: number
}

export interface StoredStep {
  messageId: string
  revision: number
  position: number
  callbackId: string
  state: StepRow['state']
  decidedAt: number | undefined
}

export const emptyHistory = (): History => ({
  channels: [],
  sends: [],
  acts: [],
  periods: [],
  looks: [],
  troubles: [],
  end: { messages: [], log: [], steps: [] },
})
