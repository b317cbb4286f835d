import { durationText } from '../parts/times.tsx'
import type { Drawing, Lane } from './lanes.ts'
import './lanes.css'

/** The drawing of a run. Screen readers get the same facts from the list beside it. */
export function Lanes({ drawing }: { drawing: Drawing }) {
  const { from, to, lanes } = drawing
  const share = (at: number) => `${Math.min(100, Math.max(0, ((at - from) / (to - from)) * 100)).toFixed(3)}%`
  return (
    <figure className="lanes" aria-label={`The way of the message, ${durationText(to - from)} in all`}>
      <Scale seconds={to - from} />
      {lanes.map((lane, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: two processors may have the same name, and their order is fixed
        <LaneRow key={index} lane={lane} share={share} />
      ))}
      <figcaption className="lane-legend" aria-hidden="true">
        <span className="legend-wait" /> waits for a place
        <span className="legend-work" /> at its processor
      </figcaption>
    </figure>
  )
}

function Scale({ seconds }: { seconds: number }) {
  const parts = [0, 0.25, 0.5, 0.75, 1]
  return (
    <div className="lane lane-scale" aria-hidden="true">
      <span />
      <span className="lane-ticks">
        {parts.map((part) => (
          <span key={part}>{part === 0 ? '0' : durationText(seconds * part)}</span>
        ))}
      </span>
    </div>
  )
}

function LaneRow({ lane, share }: { lane: Lane; share(at: number): string }) {
  return (
    <div className="lane">
      <span className="lane-title" title={lane.title}>
        {lane.title}
      </span>
      <svg className="lane-track" role="img" aria-label={textOf(lane)}>
        <line x1="0" x2="100%" y1="50%" y2="50%" className="lane-line" />
        {lane.spans.map(({ from, to, tone, label }) => (
          <SpanBar key={`${tone} ${from}`} x={share(from)} width={widthOf(share(from), share(to))} tone={tone}>
            {`${label}: ${durationText(to - from)}`}
          </SpanBar>
        ))}
        {lane.marks.map(({ at, tone, label }) => (
          <circle key={`${label} ${at}`} cx={share(at)} cy="50%" r="7" className={`lane-mark tone-${tone}`}>
            <title>{label}</title>
          </circle>
        ))}
      </svg>
      <span className="lane-end">{lane.end}</span>
    </div>
  )
}

function SpanBar({ x, width, tone, children }: { x: string; width: string; tone: string; children: string }) {
  return (
    <rect x={x} width={width} y="25%" height="50%" rx="4" className={`lane-span tone-${tone}`}>
      <title>{children}</title>
    </rect>
  )
}

const widthOf = (from: string, to: string) => `${Math.max(0.3, Number.parseFloat(to) - Number.parseFloat(from))}%`

const textOf = ({ title, spans, marks }: Lane) =>
  `${title}: ${[...spans.map(({ label, from, to }) => `${label} ${durationText(to - from)}`), ...marks.map(({ label }) => label)].join(', ')}`
