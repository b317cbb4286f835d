import SegmentedControl from '@cloudscape-design/components/segmented-control'
import { useState } from 'react'
import { useNow } from '../parts/times.tsx'
import type { Timeline, TimelineRun } from '../server/messages.ts'
import { drawingOf } from './lanes.ts'
import { Lanes } from './lanes.tsx'
import { StepList } from './step-list.tsx'

const forms = [
  { id: 'lanes', text: 'Lanes' },
  { id: 'list', text: 'List' },
]

/** What happened to a message, the latest run first: it, and each update of it, is a run. */
export function TimelineView({ timeline }: { timeline: Timeline }) {
  const [form, setForm] = useState('lanes')
  return (
    <div className="stack contained">
      <SegmentedControl
        options={forms}
        selectedId={form}
        onChange={({ detail }) => setForm(detail.selectedId)}
        label="Show the timeline as"
      />
      {timeline.Runs.toReversed().map((run) => (
        <section key={run.Revision} className="stack">
          {timeline.Runs.length > 1 && <h3>{run.Revision === 1 ? 'The message' : `Update ${run.Revision - 1}`}</h3>}
          {form === 'list' ? (
            <StepList run={run} />
          ) : run.EndedAt === undefined ? (
            <OpenRun run={run} />
          ) : (
            <EndedRun run={run} />
          )}
        </section>
      ))}
    </div>
  )
}

const EndedRun = ({ run }: { run: TimelineRun }) => <Lanes drawing={drawingOf(run, 0)} />
const OpenRun = ({ run }: { run: TimelineRun }) => <Lanes drawing={drawingOf(run, useNow() / 1000)} />
