import type { ReactNode } from 'react'
import { durationText, Time } from '../parts/times.tsx'
import type { TimelineRun, TimelineStep } from '../server/messages.ts'
import { attemptText, attemptTone, runTone, stepTone, verdictOf, waitText } from './lanes.ts'
import './step-list.css'

/** A run as a list of what happened, in order. */
export function StepList({ run }: { run: TimelineRun }) {
  return (
    <ol className="steps">
      <Row at={run.AcceptedAt} tone="neutral" title="Accepted">
        The message is held: its members do not see it yet.
      </Row>
      {run.Steps.map((step) => (
        <StepRows key={`${step.Processor} ${step.OpenedAt}`} step={step} />
      ))}
      {run.EndedAt !== undefined && (
        <Row at={run.EndedAt} tone={runTone(run.State)} title={endTitles[run.State] ?? run.State}>
          {run.Detail}
        </Row>
      )}
    </ol>
  )
}

const endTitles: Partial<Record<TimelineRun['State'], string>> = {
  SENT: 'Published to the members',
  DENIED: 'Denied: only its sender was told',
  FAILED: 'Failed: only its sender was told',
}

function StepRows({ step }: { step: TimelineStep }) {
  const { FunctionName, HandedOffAt, DecidedAt, Attempts, Extensions = [], Waits } = step
  return (
    <>
      {HandedOffAt !== undefined && (
        <Row at={HandedOffAt} tone="work" title={`${FunctionName} has the message`}>
          after a wait of {durationText(HandedOffAt - step.OpenedAt)}
        </Row>
      )}
      {Attempts.map((attempt) => (
        <Row key={attempt.At} at={attempt.At} tone={attemptTone(attempt)} title={FunctionName}>
          {attemptText(attempt)}
        </Row>
      ))}
      {Extensions.map(({ At, Until, AccessKeyId }) => (
        <Row key={At} at={At} tone="neutral" title={`${FunctionName}: a person moved the deadline`}>
          to <Time seconds={Until} />, by the key {AccessKeyId}
        </Row>
      ))}
      {DecidedAt !== undefined && (
        <Row at={DecidedAt} tone={stepTone(step.State)} title={`${FunctionName}: ${verdictOf(step)}`}>
          <Facts step={step} />
        </Row>
      )}
      {Waits && (
        <Row at={step.OpenedAt} tone="wait" title={`${FunctionName}: ${waitText(Waits)}`}>
          until <Time seconds={Waits.Until} />; the deadline is <Time seconds={Waits.Deadline} />
        </Row>
      )}
    </>
  )
}

function Facts({ step: { Changes, AccessKeyId, RejectedCallbacks } }: { step: TimelineStep }) {
  const facts = [
    ...Changes.map(({ Member, Before, After }) => `${Member} changed, from ${Before} to ${After} characters of JSON`),
    ...(AccessKeyId ? [`by the key ${AccessKeyId}`] : []),
    ...(RejectedCallbacks > 0 ? [`${RejectedCallbacks} later callbacks were rejected`] : []),
  ]
  return facts.join('; ')
}

interface RowProps {
  at: number
  tone: string
  title: string
  children?: ReactNode
}

const Row = ({ at, tone, title, children }: RowProps) => (
  <li className={`step tone-${tone}`}>
    <Time seconds={at} />
    <div>
      <strong>{title}</strong>
      {children && <div className="quiet">{children}</div>}
    </div>
  </li>
)
