import Button from '@cloudscape-design/components/button'
import { useState } from 'react'
import { Failure } from '../../parts/failure.tsx'
import { changeProcessor, type Processor } from '../../server/processors.ts'
import { useRights } from '../../session-context.ts'

/** Pauses a processor, or resumes it. Only an operator of the whole server may. */
export function PauseButton({ processor, onChanged }: { processor: Processor; onChanged(): void }) {
  const { FunctionName, Paused } = processor
  const { operates } = useRights()
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()
  if (!operates) return null
  const change = async () => {
    setBusy(true)
    setError(undefined)
    await changeProcessor(FunctionName, Paused ? 'resume' : 'pause').then(onChanged, setError)
    setBusy(false)
  }
  const verb = Paused ? 'Resume' : 'Pause'
  return (
    <>
      <Button
        onClick={change}
        loading={isBusy}
        ariaLabel={`${verb} ${FunctionName}`}
        iconName={Paused ? 'play' : 'pause'}
      >
        {verb}
      </Button>
      {error && <Failure what={`${FunctionName} is unchanged`} error={error} retry={change} />}
    </>
  )
}
