import { createContext, useContext } from 'react'
import type { Session } from './server/session.ts'

export const SessionContext = createContext<Session | undefined>(undefined)

export function useSession(): Session {
  const session = useContext(SessionContext)
  if (!session) throw new Error('only pages behind the sign-in have a session')
  return session
}

/** What the role of the session may do. The server decides: this only spares the reader a button that it would refuse. */
export function useRights() {
  const { role, appInstanceArn } = useSession()
  const isOperator = role === 'operator'
  return { decides: role !== 'viewer', operates: isOperator && !appInstanceArn }
}
