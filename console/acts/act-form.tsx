import FormField from '@cloudscape-design/components/form-field'
import Input from '@cloudscape-design/components/input'
import Select from '@cloudscape-design/components/select'
import type { Operation } from '../server/messages.ts'
import type { HeldMessage } from './acts.ts'
import { TextEditor } from './text-editor.tsx'

export interface ActInput {
  /** The new text, if a person has edited it. */
  content: string | undefined
  reasonCode: string
  reasonText: string
  seconds: string
}

export const emptyInput: ActInput = { content: undefined, reasonCode: 'OTHER', reasonText: '', seconds: '3600' }

const durations = [
  { value: '600', label: '10 minutes' },
  { value: '3600', label: '1 hour' },
  { value: '21600', label: '6 hours' },
  { value: '86400', label: '1 day' },
]

/** The members of the operation's input, besides the message. */
export function wireInput(act: Operation, { content, reasonCode, reasonText, seconds }: ActInput): object {
  if (act === 'complete') return content === undefined ? {} : { Content: content }
  if (act === 'deny') return { ReasonCode: reasonCode.trim(), ...(reasonText !== '' && { ReasonText: reasonText }) }
  return act === 'extend' ? { Seconds: Number(seconds) } : {}
}

export function isComplete(act: Operation, { content, reasonCode }: ActInput): boolean {
  if (act === 'complete') return content === undefined || content.trim() !== ''
  return act !== 'deny' || reasonCode.trim() !== ''
}

interface Props {
  act: Operation
  messages: readonly HeldMessage[]
  input: ActInput
  onChange(input: ActInput): void
}

export function ActForm({ act, messages, input, onChange }: Props) {
  const change = (changes: Partial<ActInput>) => onChange({ ...input, ...changes })
  const [only] = messages
  switch (act) {
    case 'complete':
      return messages.length === 1 && only ? (
        <TextEditor message={only} content={input.content} onChange={(content) => change({ content })} />
      ) : null
    case 'deny':
      return (
        <div className="stack">
          <FormField label="Reason code" description="A word that programs compare.">
            <Input value={input.reasonCode} onChange={({ detail }) => change({ reasonCode: detail.value })} />
          </FormField>
          <FormField label="Reason" description="The sender reads it. It can be empty.">
            <Input value={input.reasonText} onChange={({ detail }) => change({ reasonText: detail.value })} />
          </FormField>
        </div>
      )
    case 'extend':
      return (
        <FormField label="More time">
          <Select
            options={durations}
            selectedOption={durations.find(({ value }) => value === input.seconds) ?? null}
            onChange={({ detail }) => change({ seconds: detail.selectedOption.value ?? '' })}
          />
        </FormField>
      )
    default:
      return null
  }
}
