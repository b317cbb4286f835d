import Avatar from '@cloudscape-design/chat-components/avatar'
import { useEffect, useRef, useState } from 'react'
import { Failure } from '../../parts/failure.tsx'
import { Waiting } from '../../parts/waiting.tsx'
import type { Person } from '../../server/rehearsal.ts'
import { useWatched } from '../../watched.ts'
import { Bubble } from './bubble.tsx'
import { Composer } from './composer.tsx'
import type { Conversation, SeenMessage } from './conversation.ts'
import type { PersonSession } from './person-session.ts'

interface Props {
  person: Person
  other: Person
  session: PersonSession | undefined
  shownId: string | null
  onShow(id: string | undefined): void
}

/** What one of the two people sees, and what they write. */
export function PersonPane({ person, other, session, shownId, onShow }: Props) {
  const [edited, setEdited] = useState<SeenMessage>()
  const [error, setError] = useState<Error>()
  return (
    <section className="card person" aria-label={person.Name}>
      <header className="person-name">
        <Avatar ariaLabel={person.Name} initials={person.Name.slice(0, 1)} color="default" />
        <h2 className="ellipsis">{person.Name}</h2>
        {session && <SessionState session={session} onFailure={setError} />}
      </header>
      {error && <Failure what={`${person.Name} is not connected`} error={error} retry={() => location.reload()} />}
      {session ? (
        <>
          <Messages session={session} person={person} shownId={shownId} onShow={onShow} onEdit={setEdited} />
          <Composer session={session} other={other} edited={edited} onEdited={() => setEdited(undefined)} />
        </>
      ) : (
        <Waiting label="Connecting" />
      )}
    </section>
  )
}

const stateTexts = { connecting: 'connecting', open: 'connected', closed: 'not connected' }

function SessionState({ session, onFailure }: { session: PersonSession; onFailure(error: Error): void }) {
  const state = useWatched(session.state)
  useEffect(() => {
    session
      .open()
      .catch(() => onFailure(new Error('The messaging session could not be opened. Its key may have expired.')))
  }, [session, onFailure])
  return <span className="quiet person-state">{stateTexts[state]}</span>
}

interface MessagesProps {
  session: PersonSession
  person: Person
  shownId: string | null
  onShow(id: string): void
  onEdit(message: SeenMessage): void
}

function Messages({ session, person, shownId, onShow, onEdit }: MessagesProps) {
  const conversation = useWatched<Conversation>(session.conversation)
  const list = useRef<HTMLOListElement>(null)
  const count = conversation.length
  useEffect(() => {
    if (count > 0) list.current?.scrollTo({ top: list.current.scrollHeight })
  }, [count])
  return (
    <ol className="conversation" ref={list} aria-label={`Messages that ${person.Name} sees`} aria-live="polite">
      {count === 0 && <li className="quiet conversation-empty">{person.Name} sees no message yet.</li>}
      {conversation.map((message) => (
        <Bubble
          key={message.id}
          message={message}
          isOwn={message.senderArn === person.AppInstanceUserArn}
          isShown={message.id === shownId}
          onShow={() => onShow(message.id)}
          onEdit={() => onEdit(message)}
          onRedact={() => session.redact(message.id)}
        />
      ))}
    </ol>
  )
}
