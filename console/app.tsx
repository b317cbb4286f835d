import { useEffect, useState } from 'react'
import { SignIn } from './pages/sign-in.tsx'
import { Failure } from './parts/failure.tsx'
import { Waiting } from './parts/waiting.tsx'
import { CallError, onSessionEnd } from './server/call.ts'
import { readSession, type Session, signIn, takeToken } from './server/session.ts'
import { SessionContext } from './session-context.ts'
import { Shell } from './shell.tsx'

type State =
  | { is: 'asking' }
  | { is: 'signed out'; reason?: string }
  | { is: 'signed in'; session: Session }
  | { is: 'failed'; error: Error }

export function App() {
  const [state, setState] = useState<State>({ is: 'asking' })
  const ask = () => {
    setState({ is: 'asking' })
    firstState().then(setState, (error) => setState({ is: 'failed', error }))
  }
  useEffect(ask, [])
  useEffect(
    () => onSessionEnd(() => setState({ is: 'signed out', reason: 'Your session has ended. Sign in again.' })),
    [],
  )
  switch (state.is) {
    case 'asking':
      return <Waiting label="Signing in" fills />
    case 'failed':
      return (
        <main className="narrow">
          <Failure what="The console could not be opened" error={state.error} retry={ask} />
        </main>
      )
    case 'signed out':
      return <SignIn reason={state.reason} onSignedIn={(session) => setState({ is: 'signed in', session })} />
    case 'signed in':
      return (
        <SessionContext value={state.session}>
          <Shell onSignedOut={(reason) => setState({ is: 'signed out', reason })} />
        </SessionContext>
      )
  }
}

async function firstState(): Promise<State> {
  const token = takeToken()
  if (token !== undefined) {
    try {
      return { is: 'signed in', session: await signIn({ token }) }
    } catch (error) {
      if (!(error instanceof CallError) || error.status !== 401) throw error
      // A reload after the link was used must not end the session that it began.
      const session = await readSession()
      return session ? { is: 'signed in', session } : { is: 'signed out', reason: usedLink }
    }
  }
  const session = await readSession()
  return session ? { is: 'signed in', session } : { is: 'signed out' }
}

const usedLink =
  'This link was used already, or it is older than 10 minutes. Run "npx carillon console" where the server runs: it prints a new one.'
