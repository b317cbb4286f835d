import { Failure } from '../../parts/failure.tsx'
import { durationText } from '../../parts/times.tsx'
import { changeQuery } from '../../router.ts'
import type { Processor } from '../../server/processors.ts'
import { useSession } from '../../session-context.ts'
import { PauseButton } from '../processors/pause-button.tsx'
import { useProcessors } from '../processors/use-processors.ts'

interface Props {
  selected: string | undefined
  onChange(): void
}

/** The processors that hold messages or are paused, to choose one. A key of one AppInstance cannot list them. */
export function ProcessorStrip(props: Props) {
  return useSession().appInstanceArn ? null : <Strip {...props} />
}

function Strip({ selected, onChange }: Props) {
  const { value, error, reload } = useProcessors()
  if (error) return <Failure what="The processors could not be read" error={error} retry={reload} />
  const shown = value?.filter(({ Held, Paused, FunctionName }) => Held > 0 || Paused || FunctionName === selected) ?? []
  if (shown.length === 0) return null
  return (
    <ul className="strip" aria-label="Processors">
      {shown.map((processor) => (
        <li
          key={processor.FunctionName}
          className={processor.FunctionName === selected ? 'tile tile-selected' : 'tile'}
        >
          <button
            type="button"
            className="tile-button"
            aria-pressed={processor.FunctionName === selected}
            onClick={() => {
              changeQuery({ function: processor.FunctionName === selected ? undefined : processor.FunctionName })
            }}
          >
            <strong className="ellipsis">{processor.FunctionName}</strong>
            <span className="tile-figure">{processor.Held.toLocaleString()}</span>
            <span className="quiet">{stateText(processor)}</span>
          </button>
          <PauseButton
            processor={processor}
            onChanged={() => {
              reload()
              onChange()
            }}
          />
        </li>
      ))}
    </ul>
  )
}

function stateText({ Held, OldestSeconds, Paused }: Processor): string {
  const oldest = Held > 0 ? `oldest ${durationText(OldestSeconds)}` : ''
  return [Paused ? 'paused' : '', oldest].filter(Boolean).join(', ') || 'none held'
}
