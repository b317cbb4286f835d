import { call, type Query, withQuery } from './call.ts'

/* Times are in seconds since the epoch, as in AWS's responses. */

export type MessageStatus = 'PENDING' | 'SENT' | 'FAILED' | 'DENIED'

export interface ListedMessage {
  MessageId: string
  ChannelArn: string
  SenderArn?: string
  Status: MessageStatus
  Detail?: string
  CreatedTimestamp: number
}

export interface PendingMessage {
  MessageId: string
  ChannelArn: string
  ChannelName?: string
  Revision: number
  FunctionName: string
  SenderArn: string
  AcceptedTimestamp: number
  WaitsFor: 'PROCESSOR' | 'RETRY' | 'CALLBACK'
  DueTimestamp: number
  DeadlineTimestamp: number
}

export interface FailedMessage {
  MessageId: string
  ChannelArn: string
  ChannelName?: string
  FunctionName?: string
  Detail?: string
  EndedTimestamp: number
}

export interface Page<Message> {
  Messages: Message[]
  NextToken?: string
  /** How far a search has come that has not looked at all. */
  SearchedTo?: number
  ChannelName?: string
}

const list = <Message>(path: string, query: Query, signal: AbortSignal): Promise<Page<Message>> =>
  call('GET', withQuery(path, query), undefined, signal)

export const listPending = (query: Query, signal: AbortSignal) =>
  list<PendingMessage>('/carillon/v1/pending', query, signal)

export const listFailed = (query: Query, signal: AbortSignal) =>
  list<FailedMessage>('/carillon/v1/failed', query, signal)

export const listMessages = (query: Query, signal: AbortSignal) =>
  list<ListedMessage>('/carillon/v1/messages', query, signal)

const messagePath = (messageId: string) => `/carillon/v1/messages/${encodeURIComponent(messageId)}`

export type Operation = 'complete' | 'deny' | 'fail' | 'again' | 'extend'

export const actOn = (messageId: string, operation: Operation, input: object): Promise<void> =>
  call('POST', `${messagePath(messageId)}?operation=${operation}`, input)

export interface HeldText {
  Content: string
  Metadata?: string
}

/** Reads the text of a held message. The server records this in the audit log. */
export const readHeldText = (messageId: string, channelArn: string): Promise<HeldText> =>
  call('GET', withQuery(`${messagePath(messageId)}/text`, { 'channel-arn': channelArn }))

export interface Timeline {
  MessageId: string
  ChannelArn: string
  ChannelName?: string
  Status?: MessageStatus
  SenderArn?: string
  Runs: TimelineRun[]
}

export interface TimelineRun {
  Revision: number
  ChannelFlowArn: string
  State: 'RUNNING' | 'SENT' | 'DENIED' | 'FAILED'
  Detail?: string
  AcceptedAt: number
  EndedAt?: number
  Steps: TimelineStep[]
}

export interface TimelineStep {
  Processor: string
  FunctionName: string
  State: 'DISPATCHING' | 'AWAITING' | 'ALLOWED' | 'DENIED' | 'UNREACHABLE' | 'EXPIRED'
  OpenedAt: number
  HandedOffAt?: number
  DecidedAt?: number
  DecidedBy?: string
  AccessKeyId?: string
  Reason?: { Code: string; Text: string }
  Attempts: { At: number; What: string; Code?: string; AccessKeyId?: string }[]
  Changes: { Member: string; Before: number; After: number }[]
  RejectedCallbacks: number
  Extensions?: { At: number; Until: number; AccessKeyId: string }[]
  Waits?: {
    For: 'processor' | 'retry' | 'callback'
    Until: number
    Deadline: number
  }
}

export const readTimeline = (
  messageId: string,
  channelArn: string | undefined,
  signal: AbortSignal,
): Promise<Timeline> =>
  call('GET', withQuery(`${messagePath(messageId)}/timeline`, { 'channel-arn': channelArn }), undefined, signal)
