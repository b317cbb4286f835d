import Alert from '@cloudscape-design/components/alert'
import Button from '@cloudscape-design/components/button'
import Checkbox from '@cloudscape-design/components/checkbox'
import Textarea from '@cloudscape-design/components/textarea'
import { useEffect, useState } from 'react'
import type { Person } from '../../server/rehearsal.ts'
import { adviceOf } from './advice.ts'
import type { SeenMessage } from './conversation.ts'
import type { PersonSession } from './person-session.ts'

interface Props {
  session: PersonSession
  other: Person
  /** A message that the person edits now. */
  edited: SeenMessage | undefined
  onEdited(): void
}

/** Writes messages, and new texts of messages that are there. */
export function Composer({ session, other, edited, onEdited }: Props) {
  const [content, setContent] = useState('')
  const [isControl, setControl] = useState(false)
  const [isTargeted, setTargeted] = useState(false)
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()
  useEffect(() => setContent(edited?.content ?? ''), [edited])
  const send = async () => {
    if (content.trim() === '' || isBusy) return
    setBusy(true)
    setError(undefined)
    const targetArn = isTargeted ? other.AppInstanceUserArn : undefined
    const sent = edited ? session.edit(edited.id, content) : session.send({ content, isControl, targetArn })
    await sent.then(() => {
      setContent('')
      if (edited) onEdited()
    }, setError)
    setBusy(false)
  }
  return (
    <div className="composer">
      {error && (
        <Alert type="error" header="Not sent">
          {error.message} {adviceOf(error)}
        </Alert>
      )}
      <Textarea
        value={content}
        onChange={({ detail }) => setContent(detail.value)}
        onKeyDown={(event) => {
          if (event.detail.key !== 'Enter' || event.detail.shiftKey || event.detail.isComposing) return
          event.preventDefault()
          void send()
        }}
        rows={2}
        placeholder={edited ? 'The new text' : 'Write a message'}
        ariaLabel={edited ? 'The new text of the message' : 'Message'}
      />
      <div className="composer-row">
        {edited ? (
          <Button variant="link" onClick={onEdited}>
            Keep it as it is
          </Button>
        ) : (
          <span className="composer-kinds">
            <Checkbox checked={isTargeted} onChange={({ detail }) => setTargeted(detail.checked)}>
              Only {other.Name}
            </Checkbox>
            <Checkbox checked={isControl} onChange={({ detail }) => setControl(detail.checked)}>
              CONTROL
            </Checkbox>
          </span>
        )}
        <Button variant="primary" onClick={send} loading={isBusy} disabled={content.trim() === ''}>
          {edited ? 'Update' : 'Send'}
        </Button>
      </div>
    </div>
  )
}
