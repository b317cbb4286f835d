import type { MessageStatus } from '../../server/messages.ts'

/** A message as one of the two people sees it. */
export interface SeenMessage {
  id: string
  type: 'STANDARD' | 'CONTROL'
  content: string
  senderArn: string
  senderName: string
  targetArn: string | undefined
  /** Milliseconds since the epoch. */
  createdAtMs: number
  status: MessageStatus
  detail: string | undefined
  isEdited: boolean
  isRedacted: boolean
  /** What has become of the latest update of it. */
  update: MessageStatus | undefined
}

export type Conversation = readonly SeenMessage[]

/** The payload of an event of the session, and what the API lists: AWS's ChannelMessage. */
export interface WireMessage {
  MessageId?: string | undefined
  Content?: string | undefined
  Type?: string | undefined
  CreatedTimestamp?: string | Date | undefined
  LastEditedTimestamp?: string | Date | undefined
  Sender?: { Arn?: string | undefined; Name?: string | undefined } | undefined
  Status?: { Value?: string | undefined; Detail?: string | undefined } | undefined
  Target?: { MemberArn?: string | undefined }[] | undefined
  Redacted?: boolean | undefined
}

/** So many messages stay on the page, the latest ones. */
const messagesMax = 200

/** What the conversation is after an event of the session. */
export function afterEvent(conversation: Conversation, eventType: string, payload: WireMessage): Conversation {
  if (payload.MessageId === undefined || !eventType.endsWith('_CHANNEL_MESSAGE')) return conversation
  const kind = eventType.slice(0, -'_CHANNEL_MESSAGE'.length)
  if (kind === 'DELETE') return conversation.filter(({ id }) => id !== payload.MessageId)
  const [prefix, isUpdate] = [kind.split('_')[0] ?? '', kind.endsWith('UPDATE')]
  const outcome = outcomes[prefix] ?? 'SENT'
  const before = conversation.find(({ id }) => id === payload.MessageId)
  return put(conversation, isUpdate && before ? updated(before, payload, outcome) : created(before, payload, outcome))
}

const outcomes: Record<string, MessageStatus> = { PENDING: 'PENDING', DENIED: 'DENIED', FAILED: 'FAILED' }

/** An update that is not SENT changes nothing that the members read. */
const updated = (before: SeenMessage, payload: WireMessage, outcome: MessageStatus): SeenMessage =>
  outcome === 'SENT'
    ? { ...before, content: payload.Content ?? '', isEdited: true, update: 'SENT', status: 'SENT' }
    : { ...before, update: outcome }

/** A response and an event of the same message arrive in any order: what is decided does not become PENDING again. */
function created(before: SeenMessage | undefined, payload: WireMessage, outcome: MessageStatus): SeenMessage {
  const isLate = outcome === 'PENDING' && before !== undefined && before.status !== 'PENDING'
  const isRedacted = payload.Redacted ?? false
  return {
    id: payload.MessageId ?? '',
    type: payload.Type === 'CONTROL' ? 'CONTROL' : 'STANDARD',
    // The event of a denial has no text: its sender still knows it.
    content: isRedacted ? '' : isLate ? before.content : (payload.Content ?? before?.content ?? ''),
    senderArn: payload.Sender?.Arn ?? before?.senderArn ?? '',
    senderName: payload.Sender?.Name ?? before?.senderName ?? '',
    targetArn: payload.Target?.[0]?.MemberArn ?? before?.targetArn,
    createdAtMs: before?.createdAtMs ?? new Date(payload.CreatedTimestamp ?? 0).getTime(),
    status: isLate ? before.status : outcome,
    detail: payload.Status?.Detail ?? before?.detail,
    isEdited: payload.LastEditedTimestamp !== undefined || (before?.isEdited ?? false),
    isRedacted,
    update: before?.update,
  }
}

function put(conversation: Conversation, message: SeenMessage): Conversation {
  const isKnown = conversation.some(({ id }) => id === message.id)
  if (isKnown) return conversation.map((other) => (other.id === message.id ? message : other))
  const inOrder = [...conversation, message].sort((a, b) => a.createdAtMs - b.createdAtMs)
  return inOrder.slice(-messagesMax)
}
