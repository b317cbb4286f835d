import { type LogRow, type PastRun, runKey, type SubjectRows } from '../../events/event-kind.ts'
import type { Audience } from '../../store/channel-event.ts'
import { noText, textOf } from '../../store/message-row.ts'
import type { MessageRow, MessageText } from '../../store/tables.ts'

/** A message whose row is deleted: there is only its log row, and maybe its run. */
export interface GoneMessage {
  message_id: string
  status: MessageRow['status']
  /** Undefined if neither the log row nor the run has it. */
  created_at: number | undefined
  /** Why it was denied. */
  detail: string | undefined
  isGone: true
}

/** The text of the event's message was deleted, or its audience may not read it. */
type MessageWithoutText = MessageRow & { isWithoutText: true }

export type PastMessage = MessageRow | MessageWithoutText | GoneMessage

export function pastMessage(row: LogRow, { messages, runs }: SubjectRows): PastMessage {
  const message = messages.get(row.subject)
  const run = runs.get(runKey(row.subject, row.revision))
  return message ? withStatusOf(row, message, run) : goneMessage(row, run)
}

/** The time of acceptance. The run outlives the message and has it; without a run, the log row has the same time. */
function goneMessage(row: LogRow, run: PastRun | undefined): GoneMessage {
  const isNew = row.event_type.endsWith('CREATE_CHANNEL_MESSAGE')
  const created_at = isNew ? (run?.created_at ?? row.created_at) : undefined
  const status = statusOf(row)
  const detail = status === 'DENIED' ? (run?.detail ?? undefined) : undefined
  return { message_id: row.subject, status, created_at, detail, isGone: true }
}

function withStatusOf(row: LogRow, message: MessageRow, run: PastRun | undefined): PastMessage {
  const status = statusOf(row)
  const shown: MessageRow = {
    ...message,
    status,
    status_detail: detailOf(status, row, message, run),
    edited_at: isUpdate(row) && status !== 'SENT' ? (run?.created_at ?? message.edited_at) : message.edited_at,
    update_status: null,
    update_detail: null,
  }
  const text = textFor(row, message, run)
  return text ? { ...shown, ...text } : { ...shown, ...noText, isWithoutText: true }
}

/**
 * The text that the event's audience may read now: the released text, which is the row's text while the row is SENT; and for
 * the sender only, the text that it sent.
 */
function textFor(row: LogRow, message: MessageRow, run: PastRun | undefined): MessageText | undefined {
  const isNoText = row.event_type === 'REDACT_CHANNEL_MESSAGE' || row.event_type === 'DELETE_CHANNEL_MESSAGE'
  if (isNoText || message.redacted === 1) return undefined
  if (statusOf(row) === 'SENT') return message.status === 'SENT' ? textOf(message) : undefined
  const audience = JSON.parse(row.audience_json) as Audience
  const isForSender = audience.to === 'users' && audience.users.every((userArn) => userArn === message.sender_arn)
  if (!isForSender) return undefined
  if (!isUpdate(row)) return textOf(message)
  // While the update is pending, the run has its text; afterwards the text is only stored if it was released.
  return run?.requested_json ? (JSON.parse(run.requested_json) as MessageText) : undefined
}

const isUpdate = (row: LogRow): boolean => row.event_type.endsWith('UPDATE_CHANNEL_MESSAGE')

/** The status in the name of the event; an event without one is about a SENT message. */
function statusOf({ event_type }: LogRow): MessageRow['status'] {
  const [first] = event_type.split('_', 1)
  return first === 'PENDING' || first === 'FAILED' || first === 'DENIED' ? first : 'SENT'
}

/** Why it was denied or has failed. */
function detailOf(status: MessageRow['status'], row: LogRow, message: MessageRow, run: PastRun | undefined) {
  if (status !== 'DENIED' && status !== 'FAILED') return null
  return run?.detail ?? (status === 'FAILED' ? failureOf(row, message) : null)
}

/** The reason of its failure, until a newer one replaces it. */
function failureOf(row: LogRow, message: MessageRow): string | null {
  if (!isUpdate(row)) return message.status === 'FAILED' ? message.status_detail : null
  return message.revision === row.revision && message.update_status === 'FAILED' ? message.update_detail : null
}
