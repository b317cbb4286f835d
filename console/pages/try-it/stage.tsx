import { useEffect, useState } from 'react'
import { changeQuery, usePlace } from '../../router.ts'
import { FunctionOutput } from './function-output.tsx'
import type { KeptRehearsal } from './kept-rehearsal.ts'
import { PersonPane } from './person-pane.tsx'
import { PersonSession } from './person-session.ts'
import { ShownMessage } from './shown-message.tsx'
import './stage.css'

/** The rehearsal while it runs. */
export function Stage({ rehearsal }: { rehearsal: KeptRehearsal }) {
  const { ChannelArn, Users, functionNames } = rehearsal
  const shownId = usePlace().query.get('message')
  const sessions = usePeople(rehearsal)
  const show = (message: string | undefined) => changeQuery({ message })
  return (
    <div className="stage">
      {Users.map((person, index) => (
        <PersonPane
          key={person.AppInstanceUserArn}
          person={person}
          other={Users[1 - index]!}
          session={sessions?.[index]}
          shownId={shownId}
          onShow={show}
        />
      ))}
      <div className="stage-side">
        {shownId && <ShownMessage key={shownId} id={shownId} channelArn={ChannelArn} onClose={() => show(undefined)} />}
        <FunctionOutput functionNames={functionNames} />
      </div>
    </div>
  )
}

/** The sessions of the two people, for as long as the page shows the rehearsal. */
function usePeople({ Users, ChannelArn }: KeptRehearsal): PersonSession[] | undefined {
  const [sessions, setSessions] = useState<PersonSession[]>()
  // biome-ignore lint/correctness/useExhaustiveDependencies: a rehearsal with another channel is another component
  useEffect(() => {
    const opened = Users.map((person) => new PersonSession(person, ChannelArn))
    setSessions(opened)
    return () => {
      for (const session of opened) session.close()
    }
  }, [ChannelArn])
  return sessions
}
