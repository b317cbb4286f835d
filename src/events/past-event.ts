import type { Audience, EventType, PastEvent } from '../store/channel-event.ts'
import { noText, textOf } from '../store/message-row.ts'
import type { ChannelRow, MembershipRow, MessageRow, MessageText, RunRow } from '../store/tables.ts'

/** One row of channel_log. */
export interface LogRow {
  channel_id: number
  channel_arn: string
  seq: number
  event_type: EventType
  audience_json: string
  /** A message's id, a member's ARN or the channel's ARN. */
  subject: string
  revision: number
  created_at: number
}

/** What the store has now of the subjects of some rows of the log. */
export interface Subjects {
  channel: ChannelRow | undefined
  members: ReadonlyMap<string, MembershipRow>
  messages: ReadonlyMap<string, MessageRow>
  /** By runKey. */
  runs: ReadonlyMap<string, PastRun>
}

export type PastRun = Pick<RunRow, 'message_id' | 'revision' | 'requested_json' | 'created_at'>

export const runKey = (messageId: string, revision: number): string => `${revision} ${messageId}`

/**
 * The event that the row tells of, with what the store has now. What became of the subject since then may show, as in any
 * late look at it; its status is the event's. A text shows only to those who may read it at this moment.
 */
export function pastEvent(row: LogRow, subjects: Subjects): PastEvent {
  const audience = JSON.parse(row.audience_json) as Audience
  return {
    channelArn: row.channel_arn,
    seq: row.seq,
    eventType: row.event_type,
    audience,
    createdAt: row.created_at,
    about: aboutOf(row, audience, subjects),
  }
}

function aboutOf(row: LogRow, audience: Audience, { channel, members, messages, runs }: Subjects): PastEvent['about'] {
  if (row.event_type === 'UPDATE_CHANNEL' || row.event_type === 'DELETE_CHANNEL') {
    return channel ? { channel } : { gone: { kind: 'channel' } }
  }
  if (row.event_type === 'CREATE_CHANNEL_MEMBERSHIP') {
    const member = members.get(row.subject)
    return member ? { membership: member } : { gone: { kind: 'membership', memberArn: row.subject } }
  }
  const message = messages.get(row.subject)
  const run = runs.get(runKey(row.subject, row.revision))
  return message ? aboutMessage(row, audience, message, run) : aboutGoneMessage(row, run)
}

/** Its run, which outlives it, began when the message was accepted; without one the event tells of just that. */
function aboutGoneMessage(row: LogRow, run: PastRun | undefined): PastEvent['about'] {
  const isNew = row.event_type.endsWith('CREATE_CHANNEL_MESSAGE')
  const createdAt = isNew ? (run?.created_at ?? row.created_at) : undefined
  return { gone: { kind: 'message', messageId: row.subject, status: statusOf(row.event_type), createdAt } }
}

function aboutMessage(
  row: LogRow,
  audience: Audience,
  message: MessageRow,
  run: PastRun | undefined,
): PastEvent['about'] {
  const status = statusOf(row.event_type)
  const shown: MessageRow = {
    ...message,
    status,
    status_detail: status === 'FAILED' ? failureOf(row, message) : null,
    edited_at: isUpdate(row) && status !== 'SENT' ? (run?.created_at ?? message.edited_at) : message.edited_at,
    update_status: null,
    update_detail: null,
  }
  const text = textFor(row, audience, message, run)
  return text ? { message: { ...shown, ...text } } : { message: { ...shown, ...noText }, withoutText: true }
}

/**
 * The text that the event's audience may read now: what is released, which is the row's text while the row is SENT; and
 * for the sender alone, the text that it sent.
 */
function textFor(
  row: LogRow,
  audience: Audience,
  message: MessageRow,
  run: PastRun | undefined,
): MessageText | undefined {
  const isNoText = row.event_type === 'REDACT_CHANNEL_MESSAGE' || row.event_type === 'DELETE_CHANNEL_MESSAGE'
  if (isNoText || message.redacted === 1) return undefined
  if (statusOf(row.event_type) === 'SENT') return message.status === 'SENT' ? textOf(message) : undefined
  const isForSender = audience.to === 'users' && audience.users.every((userArn) => userArn === message.sender_arn)
  if (!isForSender) return undefined
  if (!isUpdate(row)) return textOf(message)
  // While a flow holds the update the run has its text; afterwards nobody has, unless it was released.
  return run?.requested_json ? (JSON.parse(run.requested_json) as MessageText) : undefined
}

const isUpdate = (row: LogRow): boolean => row.event_type.endsWith('UPDATE_CHANNEL_MESSAGE')

/** The status that the event's name says; what is told of to members is SENT. */
function statusOf(eventType: EventType): MessageRow['status'] {
  const [first] = eventType.split('_', 1)
  return first === 'PENDING' || first === 'FAILED' || first === 'DENIED' ? first : 'SENT'
}

/** Why it failed, as long as nothing newer has taken its place. */
function failureOf(row: LogRow, message: MessageRow): string | null {
  if (!isUpdate(row)) return message.status === 'FAILED' ? message.status_detail : null
  return message.revision === row.revision && message.update_status === 'FAILED' ? message.update_detail : null
}
