import { CallError, call } from './call.ts'

export interface Session {
  role: 'operator' | 'reviewer' | 'viewer'
  appInstanceArn?: string
  name: string
  /** ISO */
  expiresAt: string
}

export type Proof = { token: string } | { accessKeyId: string; secretAccessKey: string }

export const signIn = (proof: Proof): Promise<Session> => call('POST', '/console/sign-in', proof)
export const signOut = (): Promise<void> => call('POST', '/console/sign-out')

/** Undefined if this browser is not signed in. */
export async function readSession(): Promise<Session | undefined> {
  try {
    return await call<Session>('GET', '/console/session')
  } catch (error) {
    if (error instanceof CallError && error.status === 401) return undefined
    throw error
  }
}

/** The one-time token of the link that the server printed, which leaves the address: it must not stay in the history. */
export function takeToken(): string | undefined {
  const token = new URLSearchParams(location.hash.slice(1)).get('token')
  if (token === null) return undefined
  history.replaceState(null, '', location.pathname + location.search)
  return token
}
