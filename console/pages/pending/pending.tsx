import Header from '@cloudscape-design/components/header'
import Select from '@cloudscape-design/components/select'
import { useState } from 'react'
import { ActBar } from '../../acts/act-bar.tsx'
import { useFrame } from '../../live/use-live.ts'
import { Done } from '../../parts/done.tsx'
import { More } from '../../parts/more.tsx'
import { PageTitle } from '../../parts/page-title.tsx'
import { durationText } from '../../parts/times.tsx'
import { changeQuery, usePlace } from '../../router.ts'
import type { PendingMessage } from '../../server/messages.ts'
import { useRights } from '../../session-context.ts'
import { PendingTable, rowId } from './pending-table.tsx'
import { ProcessorStrip } from './processor-strip.tsx'
import { usePending } from './use-pending.ts'

/** What is held now, by whom and for how long; and the acts of a person on it. */
export function Pending() {
  const { query } = usePlace()
  const { decides } = useRights()
  const functionName = query.get('function') ?? undefined
  const pages = usePending({ functionName, olderThanSeconds: query.get('older') ?? undefined })
  const [marked, setMarked] = useState<PendingMessage[]>([])
  const [done, setDone] = useState<string>()
  const shown = new Set(pages.messages.map(rowId))
  const selected = marked.filter((message) => shown.has(rowId(message)))
  const finish = (summary: string) => {
    setDone(summary)
    setMarked([])
    pages.reload()
  }
  return (
    <div className="stack">
      <PageTitle title="Pending" actions={<AgeFilter />}>
        <Summary />
      </PageTitle>
      <ProcessorStrip selected={functionName} onChange={pages.reload} />
      <Done summary={done} onClose={() => setDone(undefined)} />
      <PendingTable
        pages={pages}
        {...(decides && { selection: { selected, onChange: setMarked } })}
        header={
          <Header
            variant="h2"
            actions={<ActBar messages={selected} onDone={finish} />}
            {...(selected.length > 0 && { counter: `(${selected.length} selected)` })}
          >
            {functionName ?? 'All processors'}
          </Header>
        }
      />
      <More pages={pages} what="The pending messages" />
    </div>
  )
}

function Summary() {
  const pending = useFrame()?.pending
  if (!pending) return 'Messages that a flow holds until their processor decides.'
  if (pending.total === 0) return 'No message is held now.'
  const held = pending.total === 1 ? '1 message is held' : `${pending.total.toLocaleString()} messages are held`
  return `${held}, the oldest for ${durationText(pending.oldestSeconds)}.`
}

const ages = [
  { value: '', label: 'Of any age' },
  { value: '60', label: 'Older than a minute' },
  { value: '600', label: 'Older than 10 minutes' },
  { value: '3600', label: 'Older than an hour' },
  { value: '86400', label: 'Older than a day' },
]

function AgeFilter() {
  const { query } = usePlace()
  return (
    <Select
      options={ages}
      selectedOption={ages.find(({ value }) => value === (query.get('older') ?? '')) ?? null}
      onChange={({ detail }) => changeQuery({ older: detail.selectedOption.value })}
      ariaLabel="Age"
    />
  )
}
