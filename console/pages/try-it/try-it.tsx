import Button from '@cloudscape-design/components/button'
import { useState } from 'react'
import { PageTitle } from '../../parts/page-title.tsx'
import { useRights } from '../../session-context.ts'
import { keepRehearsal, keptRehearsal } from './kept-rehearsal.ts'
import { RehearsalForm } from './rehearsal-form.tsx'
import { Stage } from './stage.tsx'

/** Two people in one channel, a flow between them, and all that happens to their messages. */
export function TryIt() {
  const { operates } = useRights()
  const [rehearsal, setRehearsal] = useState(keptRehearsal)
  const change = (next: typeof rehearsal) => {
    keepRehearsal(next)
    setRehearsal(next)
  }
  if (!operates) {
    return (
      <>
        <PageTitle title="Try it" />
        <p className="card">
          Only an operator of the whole server can start a rehearsal, because it creates a channel and two users.{' '}
          <a href="/messages">See the messages</a> instead.
        </p>
      </>
    )
  }
  return (
    <>
      <PageTitle title="Try it" actions={rehearsal && <Button onClick={() => change(undefined)}>Start again…</Button>}>
        {rehearsal
          ? `Each message goes through ${rehearsal.functionNames.join(', then ')}. Choose a message to see what happened to it.`
          : 'Two people talk in a channel of their own. Watch your functions hold, change and deny what they write.'}
      </PageTitle>
      {rehearsal ? <Stage key={rehearsal.ChannelArn} rehearsal={rehearsal} /> : <RehearsalForm onStarted={change} />}
    </>
  )
}
