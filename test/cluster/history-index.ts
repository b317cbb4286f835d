import type { ChannelFacts, History, LogEntry, Outcome, Send, StoredMessage } from './history.ts'
import { hearable } from './membership.ts'

export interface Violation {
  rule: 'lost' | 'log' | 'outcome' | 'text' | 'list' | 'session' | 'pending' | 'token' | 'step'
  /** A sentence: what is wrong, and where. */
  says: string
}

/** A history with the ways through it that the rules take again and again. */
export class HistoryIndex {
  readonly history: History
  /** By channel, in the order of seq. */
  readonly logs: Map<string, LogEntry[]>
  /** By MessageId, in the order of seq. */
  readonly entries: Map<string, LogEntry[]>
  readonly stored: Map<string, StoredMessage[]>
  readonly channels: Map<string, ChannelFacts>
  /** The MessageIds that came of a send: those it was answered, and those under which its text was met. */
  readonly messageIds = new Map<Send, Set<string>>()
  /** By channel, the numbers of its deletions. */
  readonly #deletions: Map<string, number[]>
  readonly #sendByMessage = new Map<string, Send>()
  readonly #sendByText = new Map<string, Send>()
  readonly #meant = new Map<string, LogEntry[]>()

  constructor(history: History) {
    this.history = history
    const { log, messages } = history.end
    const ordered = log.toSorted((a, b) => a.seq - b.seq)
    this.logs = Map.groupBy(ordered, ({ channelArn }) => channelArn)
    this.entries = Map.groupBy(ordered, ({ subject }) => subject)
    const deletions = Map.groupBy(
      ordered.filter(({ eventType }) => eventType === 'DELETE_CHANNEL'),
      ({ channelArn }) => channelArn,
    )
    this.#deletions = new Map(
      [...deletions].map(([channelArn, entries]) => [channelArn, entries.map(({ seq }) => seq)]),
    )
    this.stored = Map.groupBy(messages, ({ messageId }) => messageId)
    this.channels = new Map(history.channels.map((channel) => [channel.channelArn, channel]))
    for (const send of history.sends) this.#learn(send)
    for (const [messageId, text] of textsMet(history)) {
      const send = this.#sendByText.get(text)
      if (send) this.#link(send, messageId)
    }
  }

  sendOf(messageId: string): Send | undefined {
    return this.#sendByMessage.get(messageId)
  }

  /** The channel's log as this user is to hear it. */
  meantFor(channelArn: string, userArn: string): LogEntry[] {
    const key = `${channelArn} ${userArn}`
    const known = this.#meant.get(key)
    if (known) return known
    const meant = hearable(this.logs.get(channelArn) ?? [], this.channels.get(channelArn), userArn)
    this.#meant.set(key, meant)
    return meant
  }

  /** Whether its channel was deleted after the message was sent. */
  isGone(messageId: string): boolean {
    const [entry] = this.entries.get(messageId) ?? []
    return entry !== undefined && entry.seq < (this.#deletions.get(entry.channelArn)?.at(-1) ?? 0)
  }

  /** In which incarnation of its channel the message was sent: the first is 0. Undefined if the log does not have it. */
  incarnationOf(messageId: string): number | undefined {
    const [entry] = this.entries.get(messageId) ?? []
    return entry && (this.#deletions.get(entry.channelArn) ?? []).filter((seq) => seq < entry.seq).length
  }

  /** Its text at the end: undefined if it has no row any more, empty if it was redacted. */
  lastText(send: Send, messageId: string): string | undefined {
    const has = (eventType: string) => this.entries.get(messageId)?.some((entry) => entry.eventType === eventType)
    if (!staysStored(send) || this.isGone(messageId) || has('DELETE_CHANNEL_MESSAGE')) return undefined
    if (has('REDACT_CHANNEL_MESSAGE')) return ''
    if (has('UPDATE_CHANNEL_MESSAGE')) return send.change?.released
    return send.outcome === 'SENT' ? send.released : send.text
  }

  #learn(send: Send): void {
    this.messageIds.set(send, new Set())
    this.#sendByText.set(send.text, send)
    if (send.released !== undefined) this.#sendByText.set(send.released, send)
    if (send.change?.text !== undefined) this.#sendByText.set(send.change.text, send)
    if (send.change?.released !== undefined) this.#sendByText.set(send.change.released, send)
    for (const messageId of send.messageIds) this.#link(send, messageId)
  }

  /** Of two sends that were answered with one MessageId the first has it; the rule on tokens looks at the answers. */
  #link(send: Send, messageId: string): void {
    this.messageIds.get(send)?.add(messageId)
    if (!this.#sendByMessage.has(messageId)) this.#sendByMessage.set(messageId, send)
  }
}

function* textsMet({ periods, looks, end }: History): Generator<[messageId: string, text: string]> {
  for (const { seen } of periods) for (const { subject, text } of seen) if (text !== undefined) yield [subject, text]
  for (const { messages } of looks) for (const { messageId, text } of messages) if (text) yield [messageId, text]
  for (const { messageId, text } of end.messages) if (text !== undefined) yield [messageId, text]
}

/** The outcome that a new message's event tells of; undefined for PENDING and for what is not about a new message. */
export const outcomeOf = (eventType: string): Outcome | undefined => outcomes[eventType]

const outcomes: { [eventType: string]: Outcome | undefined } = {
  CREATE_CHANNEL_MESSAGE: 'SENT',
  DENIED_CREATE_CHANNEL_MESSAGE: 'DENIED',
  FAILED_CREATE_CHANNEL_MESSAGE: 'FAILED',
}

/** Whether it has a row when it has ended. */
export const staysStored = ({ persistence, outcome }: Send): boolean =>
  persistence === 'PERSISTENT' && outcome !== 'DENIED'

/** How people say it: `"RAW-7 change"`, and the MessageId. */
export const nameOf = (messageId: string, send: Send | undefined): string =>
  send ? `${JSON.stringify(send.text)} (${messageId})` : `message ${messageId}`
