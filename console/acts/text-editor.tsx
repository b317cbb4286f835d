import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Textarea from '@cloudscape-design/components/textarea'
import { useState } from 'react'
import { Failure } from '../parts/failure.tsx'
import { readHeldText } from '../server/messages.ts'
import type { HeldMessage } from './acts.ts'

interface Props {
  message: HeldMessage
  /** Undefined as long as the text was not asked for. */
  content: string | undefined
  onChange(content: string): void
}

/** The text of a held message, to be read and edited. It is not shown by itself: reading it is an act of its own. */
export function TextEditor({ message, content, onChange }: Props) {
  const [isLoading, setLoading] = useState(false)
  const [error, setError] = useState<Error>()
  const show = async () => {
    setLoading(true)
    setError(undefined)
    await readHeldText(message.MessageId, message.ChannelArn).then(({ Content }) => onChange(Content), setError)
    setLoading(false)
  }
  if (content !== undefined) {
    return (
      <FormField label="Text" description="The members see it as it stands here." stretch>
        <Textarea value={content} onChange={({ detail }) => onChange(detail.value)} rows={5} />
      </FormField>
    )
  }
  return (
    <div className="stack">
      <Button onClick={show} loading={isLoading} loadingText="Reading the text">
        Show and edit the text
      </Button>
      <span className="quiet">The audit log records that you have read it.</span>
      {error && <Failure what="The text could not be read" error={error} retry={show} />}
    </div>
  )
}
