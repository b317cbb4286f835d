import Button from '@cloudscape-design/components/button'
import { ActBar } from '../../acts/act-bar.tsx'
import { Failure } from '../../parts/failure.tsx'
import { Outcome } from '../../parts/outcome.tsx'
import { MessageLink } from '../../parts/references.tsx'
import { Waiting } from '../../parts/waiting.tsx'
import { isOpen, statusOf } from '../../timeline/lanes.ts'
import { TimelineView } from '../../timeline/timeline-view.tsx'
import { useTimeline } from '../../timeline/use-timeline.ts'

interface Props {
  id: string
  channelArn: string
  onClose(): void
}

/** The timeline of the message that the reader has chosen, and the acts on it. */
export function ShownMessage({ id, channelArn, onClose }: Props) {
  const { value, error, reload } = useTimeline(id, channelArn)
  return (
    <section className="card stack" aria-label="What happened to the message">
      <div className="page-title">
        <h2>What happened</h2>
        <Button variant="icon" iconName="close" ariaLabel="Close the timeline" onClick={onClose} />
      </div>
      {error && <Failure what="The timeline could not be read" error={error} retry={reload} />}
      {!value && !error && <Waiting label="Reading the timeline" />}
      {value && (
        <>
          <div className="between">
            <Outcome status={statusOf(value)} />
            <MessageLink id={id} channelArn={channelArn} />
          </div>
          <TimelineView timeline={value} />
          {isOpen(value) && <ActBar messages={[value]} onDone={reload} />}
        </>
      )}
    </section>
  )
}
