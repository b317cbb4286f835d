import Button from '@cloudscape-design/components/button'
import { useState } from 'react'
import { Outcome } from '../../parts/outcome.tsx'
import { Time } from '../../parts/times.tsx'
import { adviceOf } from './advice.ts'
import type { SeenMessage } from './conversation.ts'

interface Props {
  message: SeenMessage
  isOwn: boolean
  /** Its timeline is shown beside. */
  isShown: boolean
  onShow(): void
  onEdit(): void
  onRedact(): Promise<void>
}

/** One message in a conversation: a click opens its timeline. */
export function Bubble({ message, isOwn, isShown, onShow, onEdit, onRedact }: Props) {
  const { status, type, isRedacted, createdAtMs } = message
  const [error, setError] = useState<Error>()
  const canChange = isOwn && status === 'SENT' && type === 'STANDARD' && !isRedacted
  const classes = ['bubble', isOwn ? 'bubble-own' : '', isShown ? 'bubble-shown' : '', `bubble-${status}`]
  return (
    <li className={classes.filter(Boolean).join(' ')}>
      <button type="button" className="bubble-body" onClick={onShow} aria-pressed={isShown}>
        <Text message={message} />
        <span className="bubble-facts">
          <Time seconds={createdAtMs / 1000} />
          <Tags message={message} />
          {(isOwn || status !== 'SENT') && <Outcome status={status} />}
        </span>
        {message.detail && <span className="bubble-detail">{message.detail}</span>}
      </button>
      {canChange && (
        <span className="bubble-acts">
          <Button variant="inline-icon" iconName="edit" ariaLabel="Edit the message" onClick={onEdit} />
          <Button
            variant="inline-icon"
            iconName="remove"
            ariaLabel="Redact the message"
            onClick={() => onRedact().catch(setError)}
          />
        </span>
      )}
      {error && <span role="alert">{`Not redacted: ${error.message} ${adviceOf(error)}`}</span>}
    </li>
  )
}

function Text({ message: { type, content, isRedacted, status } }: { message: SeenMessage }) {
  if (isRedacted) return <em className="quiet">Redacted</em>
  if (type === 'CONTROL') return <span className="mono">{content}</span>
  return <span className={status === 'SENT' || status === 'PENDING' ? '' : 'bubble-gone'}>{content}</span>
}

const updateTexts = { PENDING: 'update pending', SENT: '', DENIED: 'update denied', FAILED: 'update failed' }

function Tags({ message: { type, targetArn, isEdited, update } }: { message: SeenMessage }) {
  const tags = [
    type === 'CONTROL' ? 'CONTROL' : '',
    targetArn ? 'targeted' : '',
    isEdited ? 'edited' : '',
    update ? updateTexts[update] : '',
  ]
  return tags.filter(Boolean).map((tag) => (
    <span key={tag} className="tag">
      {tag}
    </span>
  ))
}
