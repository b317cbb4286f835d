import Button from '@cloudscape-design/components/button'
import FormField from '@cloudscape-design/components/form-field'
import Select from '@cloudscape-design/components/select'
import { useState } from 'react'
import { Failure } from '../../parts/failure.tsx'
import { NoFunctions } from '../../parts/no-functions.tsx'
import { Waiting } from '../../parts/waiting.tsx'
import type { Processor } from '../../server/processors.ts'
import { createRehearsal, type Fallback } from '../../server/rehearsal.ts'
import { useProcessors } from '../processors/use-processors.ts'
import type { KeptRehearsal } from './kept-rehearsal.ts'

/** AWS's limit of a flow. */
const functionsMax = 3

const fallbacks: { value: Fallback; label: string; description: string }[] = [
  { value: 'ABORT', label: 'The message fails', description: 'FallbackAction ABORT: no member sees it.' },
  {
    value: 'CONTINUE',
    label: 'The message passes',
    description: 'FallbackAction CONTINUE: the members see it unmoderated.',
  },
]

/** Chooses the functions of the flow, in their order. */
export function RehearsalForm({ onStarted }: { onStarted(rehearsal: KeptRehearsal): void }) {
  const { value: processors, error: loadError, reload } = useProcessors()
  const [chosen, setChosen] = useState<string[]>([])
  const [fallback, setFallback] = useState(fallbacks[0]!)
  const [isBusy, setBusy] = useState(false)
  const [error, setError] = useState<Error>()
  if (loadError) return <Failure what="The functions could not be read" error={loadError} retry={reload} />
  if (!processors) return <Waiting label="Reading the functions" />
  const there = processors.filter(({ State }) => State !== 'missing')
  if (there.length === 0) return <NoFunctions />
  const toggle = (name: string) =>
    setChosen(chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name])
  const start = async () => {
    setBusy(true)
    setError(undefined)
    await createRehearsal(chosen, fallback.value).then(
      (rehearsal) => onStarted({ ...rehearsal, functionNames: chosen }),
      setError,
    )
    setBusy(false)
  }
  return (
    <div className="card stack rehearsal-form">
      <div>
        <h2>Which functions look at each message?</h2>
        <p className="quiet">Up to three, in the order in which you choose them.</p>
      </div>
      <ul className="choices">
        {there.map((processor) => (
          <Choice
            key={processor.FunctionName}
            processor={processor}
            position={chosen.indexOf(processor.FunctionName)}
            isFull={chosen.length === functionsMax}
            onToggle={() => toggle(processor.FunctionName)}
          />
        ))}
      </ul>
      <FormField label="When a function cannot be reached">
        <Select
          options={fallbacks}
          selectedOption={fallback}
          onChange={({ detail }) => setFallback(fallbacks.find(({ value }) => value === detail.selectedOption.value)!)}
        />
      </FormField>
      {error && <Failure what="The rehearsal has not started" error={error} retry={start} />}
      <div>
        <Button
          variant="primary"
          onClick={start}
          loading={isBusy}
          loadingText="Creating a channel"
          disabled={chosen.length === 0}
        >
          Start
        </Button>
      </div>
    </div>
  )
}

interface ChoiceProps {
  processor: Processor
  /** Its place in the flow, -1 if it is not chosen. */
  position: number
  isFull: boolean
  onToggle(): void
}

const Choice = ({ processor, position, isFull, onToggle }: ChoiceProps) => (
  <li>
    <button
      type="button"
      className="choice"
      aria-pressed={position >= 0}
      disabled={position < 0 && isFull}
      onClick={onToggle}
    >
      <span className="choice-number">{position >= 0 ? position + 1 : ''}</span>
      <span className="ellipsis">{processor.FunctionName}</span>
      {processor.State === 'broken' && <span className="choice-state">broken</span>}
      {processor.Paused && <span className="choice-state">paused</span>}
    </button>
  </li>
)
