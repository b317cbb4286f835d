import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator'
import type { MessageStatus } from '../server/messages.ts'

type Look = Pick<StatusIndicatorProps, 'type' | 'colorOverride'> & { text: string }

const looks: Record<MessageStatus, Look> = {
  PENDING: { type: 'pending', text: 'Pending' },
  SENT: { type: 'success', text: 'Sent' },
  DENIED: { type: 'stopped', colorOverride: 'red', text: 'Denied' },
  FAILED: { type: 'error', text: 'Failed' },
}

/** The status of a message. */
export function Outcome({ status }: { status: MessageStatus }) {
  const { text, ...look } = looks[status]
  return <StatusIndicator {...look}>{text}</StatusIndicator>
}
