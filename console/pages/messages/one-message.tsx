import { type ReactNode, useState } from 'react'
import { ActBar } from '../../acts/act-bar.tsx'
import { Done } from '../../parts/done.tsx'
import { Failure } from '../../parts/failure.tsx'
import { Outcome } from '../../parts/outcome.tsx'
import { ChannelLink, UserId } from '../../parts/references.tsx'
import { Time } from '../../parts/times.tsx'
import { useTitle } from '../../parts/use-title.ts'
import { Waiting } from '../../parts/waiting.tsx'
import type { Timeline } from '../../server/messages.ts'
import { isOpen, statusOf } from '../../timeline/lanes.ts'
import { TimelineView } from '../../timeline/timeline-view.tsx'
import { useTimeline } from '../../timeline/use-timeline.ts'

/** One message: what happened to it in its channel's flows, and what a person can do. */
export function OneMessage({ id, channelArn }: { id: string; channelArn: string | undefined }) {
  useTitle(`Message ${id}`)
  const { value, error, reload } = useTimeline(id, channelArn)
  const [done, setDone] = useState<string>()
  return (
    <div className="stack">
      <a href="/messages">← Messages</a>
      <div className="page-title">
        <div>
          <h1>
            Message <span className="mono break">{id}</span>
          </h1>
        </div>
        {value && isOpen(value) && (
          <ActBar
            messages={[value]}
            onDone={(summary) => {
              setDone(summary)
              reload()
            }}
          />
        )}
      </div>
      <Done summary={done} onClose={() => setDone(undefined)} />
      {error && <Failure what="The timeline could not be read" error={error} retry={reload} />}
      {!value && !error && <Waiting label="Reading the timeline" />}
      {value && <MessageCard timeline={value} />}
    </div>
  )
}

function MessageCard({ timeline }: { timeline: Timeline }) {
  const { ChannelArn, ChannelName, SenderArn, Runs } = timeline
  const first = Runs[0]
  return (
    <>
      <dl className="card facts">
        <Fact name="Status">
          <Outcome status={statusOf(timeline)} />
        </Fact>
        <Fact name="Sender">
          <UserId arn={SenderArn} />
        </Fact>
        <Fact name="Channel">
          <ChannelLink arn={ChannelArn} name={ChannelName} />
        </Fact>
        <Fact name="Accepted">{first ? <Time seconds={first.AcceptedAt} /> : '–'}</Fact>
      </dl>
      <section className="card stack" aria-label="Timeline">
        <h2>What happened</h2>
        <TimelineView timeline={timeline} />
      </section>
    </>
  )
}

const Fact = ({ name, children }: { name: string; children: ReactNode }) => (
  <div>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
)
