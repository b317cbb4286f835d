import SegmentedControl from '@cloudscape-design/components/segmented-control'
import { PageTitle } from '../../parts/page-title.tsx'
import { changeQuery, usePlace } from '../../router.ts'
import { ChannelMessages } from './channel-messages.tsx'
import { FailedMessages } from './failed-messages.tsx'
import { FindById } from './find-by-id.tsx'
import { OneMessage } from './one-message.tsx'
import { PendingMessages } from './pending-messages.tsx'

const views = [
  { id: 'failed', text: 'Failed' },
  { id: 'pending', text: 'Pending' },
  { id: 'channel', text: 'In a channel' },
]

/** `/messages` finds messages, `/messages/ID` shows one. */
export function Messages() {
  const { path, query } = usePlace()
  const [, , id] = path.split('/')
  if (id) return <OneMessage key={id} id={decodeURIComponent(id)} channelArn={query.get('channel') ?? undefined} />
  const view = query.get('view') ?? 'failed'
  return (
    <>
      <PageTitle title="Messages" actions={<FindById />}>
        Find a message, and ask why it was held, changed, denied or failed.
      </PageTitle>
      <div className="stack">
        <SegmentedControl
          options={views}
          selectedId={view}
          onChange={({ detail }) => changeQuery({ view: detail.selectedId })}
          label="Which messages"
        />
        {view === 'channel' ? <ChannelMessages /> : view === 'pending' ? <PendingMessages /> : <FailedMessages />}
      </div>
    </>
  )
}
