import Button from '@cloudscape-design/components/button'
import ButtonDropdown from '@cloudscape-design/components/button-dropdown'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { useState } from 'react'
import type { Operation } from '../server/messages.ts'
import { useRights } from '../session-context.ts'
import { ActDialog } from './act-dialog.tsx'
import { actTexts, type HeldMessage } from './acts.ts'

interface Props {
  messages: readonly HeldMessage[]
  /** Called after an act, with a sentence that says what was done. */
  onDone(summary: string): void
}

const others: Operation[] = ['extend', 'again', 'fail']

/** The acts on held messages, on one or on many. Empty for who may only read. */
export function ActBar({ messages, onDone }: Props) {
  const [act, setAct] = useState<Operation>()
  const { decides } = useRights()
  if (!decides) return null
  const disabled = messages.length === 0
  const close = (summary?: string) => {
    setAct(undefined)
    if (summary !== undefined) onDone(summary)
  }
  return (
    <>
      <SpaceBetween direction="horizontal" size="xs">
        <Button onClick={() => setAct('complete')} disabled={disabled}>
          Complete…
        </Button>
        <Button onClick={() => setAct('deny')} disabled={disabled}>
          Deny…
        </Button>
        <ButtonDropdown
          items={others.map((id) => ({ id, text: `${actTexts[id].name}…` }))}
          onItemClick={({ detail }) => setAct(detail.id as Operation)}
          disabled={disabled}
          expandToViewport
        >
          More
        </ButtonDropdown>
      </SpaceBetween>
      {act && <ActDialog act={act} messages={messages} onClose={close} />}
    </>
  )
}
