import Alert from '@cloudscape-design/components/alert'
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator'
import { durationText } from '../../parts/times.tsx'
import type { Processor } from '../../server/processors.ts'
import { PauseButton } from './pause-button.tsx'

type State = Processor['State']

const states: Record<State, { type: StatusIndicatorProps.Type; text: string; advice: string }> = {
  ready: { type: 'success', text: 'Ready', advice: '' },
  paused: { type: 'stopped', text: 'Paused', advice: '' },
  broken: { type: 'error', text: 'Broken', advice: 'Correct its file: the next message takes the new version.' },
  missing: {
    type: 'warning',
    text: 'Missing',
    advice: 'A flow names this function, but it is not in the functions folder.',
  },
  unreachable: { type: 'error', text: 'Unreachable', advice: 'Check that its endpoint runs and can be reached.' },
}

export function ProcessorCard({ processor, onChanged }: { processor: Processor; onChanged(): void }) {
  const { FunctionName, State, Error: error, LastOutput = [] } = processor
  const state = states[State]
  return (
    <article className="card stack">
      <div className="page-title">
        <div className="stack-small">
          <h2 className="ellipsis">{FunctionName}</h2>
          <StatusIndicator type={state.type}>{state.text}</StatusIndicator>
        </div>
        <PauseButton processor={processor} onChanged={onChanged} />
      </div>
      {error && (
        <Alert type="error" header="Its error">
          <pre className="output">{error}</pre>
          {state.advice}
        </Alert>
      )}
      {!error && state.advice && <p className="quiet">{state.advice}</p>}
      <Figures processor={processor} />
      {LastOutput.length > 0 && (
        <details>
          <summary>Last output</summary>
          <Printed name={FunctionName} lines={LastOutput} />
        </details>
      )}
    </article>
  )
}

function Figures({ processor }: { processor: Processor }) {
  const { FunctionName, Held, OldestSeconds, Calls, Errors, Waiting, AtProcessor, Places } = processor
  const figures: [name: string, value: number | string][] = [
    ['Calls', Calls],
    ['Errors', Errors],
    ['Waiting', Waiting],
    ['At it now', `${AtProcessor} of ${Places}`],
  ]
  return (
    <dl className="figures">
      <div>
        <dt>Held</dt>
        <dd>
          {Held === 0 ? (
            0
          ) : (
            <a href={`/pending?function=${encodeURIComponent(FunctionName)}`}>
              {Held.toLocaleString()}, oldest {durationText(OldestSeconds)}
            </a>
          )}
        </dd>
      </div>
      {figures.map(([name, value]) => (
        <Figure key={name} name={name} value={value} />
      ))}
    </dl>
  )
}

const Figure = ({ name, value }: { name: string; value: number | string }) => (
  <div>
    <dt>{name}</dt>
    <dd>{value.toLocaleString()}</dd>
  </div>
)

const Printed = ({ name, lines }: { name: string; lines: string[] }) => (
  // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reached by the keyboard
  <section className="output" tabIndex={0} aria-label={`Last output of ${name}`}>
    {lines.join('\n')}
  </section>
)
