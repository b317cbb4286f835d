import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator'
import type { MessageStatus } from '../server/messages.ts'

const looks: Record<MessageStatus, { type: StatusIndicatorProps.Type; text: string }> = {
  PENDING: { type: 'pending', text: 'Pending' },
  SENT: { type: 'success', text: 'Sent' },
  DENIED: { type: 'stopped', text: 'Denied' },
  FAILED: { type: 'error', text: 'Failed' },
}

/** The status of a message. */
export function Outcome({ status }: { status: MessageStatus }) {
  const { type, text } = looks[status]
  return <StatusIndicator type={type}>{text}</StatusIndicator>
}
