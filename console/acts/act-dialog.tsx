import Box from '@cloudscape-design/components/box'
import Button from '@cloudscape-design/components/button'
import Modal from '@cloudscape-design/components/modal'
import ProgressBar from '@cloudscape-design/components/progress-bar'
import SpaceBetween from '@cloudscape-design/components/space-between'
import { useRef, useState } from 'react'
import { Failure } from '../parts/failure.tsx'
import { actOn, type Operation } from '../server/messages.ts'
import { ActForm, type ActInput, emptyInput, isComplete, wireInput } from './act-form.tsx'
import { actTexts, countText, type HeldMessage, summaryText } from './acts.ts'
import { type Progress, performAll } from './perform.ts'

interface Props {
  act: Operation
  messages: readonly HeldMessage[]
  /** Called when the dialog closes, and with a summary if anything was done. */
  onClose(summary?: string): void
}

/** Asks for what an act needs, says how many messages it concerns, and performs it on each. */
export function ActDialog({ act, messages, onClose }: Props) {
  const [input, setInput] = useState<ActInput>(emptyInput)
  const [progress, setProgress] = useState<Progress<HeldMessage>>()
  const [isRunning, setRunning] = useState(false)
  const abort = useRef(new AbortController())
  const { name, consequence } = actTexts[act]
  const close = () => {
    abort.current.abort()
    onClose(progress && summaryText(act, progress.done - progress.failures.length))
  }
  const confirm = async () => {
    setRunning(true)
    const perform = ({ MessageId, ChannelArn }: HeldMessage) =>
      actOn(MessageId, act, { ChannelArn, ...wireInput(act, input) })
    const { done, failures } = await performAll(messages, perform, setProgress, abort.current.signal)
    setRunning(false)
    if (failures.length === 0 && !abort.current.signal.aborted) onClose(summaryText(act, done))
  }
  const isOver = progress !== undefined && !isRunning
  return (
    <Modal
      visible
      onDismiss={close}
      header={`${name} ${countText(messages.length)}?`}
      closeAriaLabel="Close"
      footer={
        <Box float="right">
          <SpaceBetween direction="horizontal" size="xs">
            <Button variant="link" onClick={close}>
              {isRunning ? 'Stop' : isOver ? 'Close' : 'Cancel'}
            </Button>
            {!isOver && (
              <Button variant="primary" onClick={confirm} loading={isRunning} disabled={!isComplete(act, input)}>
                {`${name} ${countText(messages.length)}`}
              </Button>
            )}
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <p>{consequence}</p>
        {!progress && <ActForm act={act} messages={messages} input={input} onChange={setInput} />}
        {progress && (
          <ProgressBar
            value={(100 * progress.done) / messages.length}
            label={`${progress.done} of ${messages.length}`}
            ariaLabel="Progress"
          />
        )}
        {progress?.failures.slice(0, 3).map(({ item, error }) => (
          <Failure key={item.MessageId} what={`${item.MessageId} stays as it is`} error={error} />
        ))}
        {progress && progress.failures.length > 3 && <p>{progress.failures.length - 3} more could not be changed.</p>}
      </SpaceBetween>
    </Modal>
  )
}
