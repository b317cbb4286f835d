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
  // The messages as they were when the act was chosen: a list that follows the server may lose some of them meanwhile.
  const [chosen, setChosen] = useState<{ act: Operation; messages: readonly HeldMessage[] }>()
  const { decides } = useRights()
  if (!decides) return null
  const disabled = messages.length === 0
  const choose = (act: Operation) => setChosen({ act, messages })
  const close = (summary?: string) => {
    setChosen(undefined)
    if (summary !== undefined) onDone(summary)
  }
  return (
    <>
      <SpaceBetween direction="horizontal" size="xs">
        <Button onClick={() => choose('complete')} disabled={disabled}>
          Complete…
        </Button>
        <Button onClick={() => choose('deny')} disabled={disabled}>
          Deny…
        </Button>
        <ButtonDropdown
          items={others.map((id) => ({ id, text: `${actTexts[id].name}…` }))}
          onItemClick={({ detail }) => choose(detail.id as Operation)}
          disabled={disabled}
          expandToViewport
        >
          More
        </ButtonDropdown>
      </SpaceBetween>
      {chosen && <ActDialog {...chosen} onClose={close} />}
    </>
  )
}
