import { Watched } from '../watched.ts'

/** The server has refused a call, or it could not be reached: then the status is 0. */
export class CallError extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

type Method = 'GET' | 'POST' | 'DELETE'
export type Query = Record<string, string | number | undefined>

/** How many sessions of this page have ended. */
const endedSessions = new Watched(0)

export const onSessionEnd = endedSessions.subscribe
export const endSession = (): void => endedSessions.set(endedSessions.value + 1)

/** Another site cannot send this header. The server wants it with every write. */
const writeHeaders = { 'content-type': 'application/json', 'x-carillon-console': '1' }

/** Calls the server that the page is from, as the session's role. Rejects with a CallError. */
export async function call<Output>(
  method: Method,
  path: string,
  input?: object,
  signal?: AbortSignal,
): Promise<Output> {
  const isWrite = method !== 'GET'
  const response = await fetch(path, {
    method,
    headers: isWrite ? writeHeaders : {},
    ...(isWrite && { body: JSON.stringify(input ?? {}) }),
    ...(signal && { signal }),
  }).catch((error: Error) => {
    if (signal?.aborted) throw error
    throw new CallError(0, 'The server cannot be reached.')
  })
  const text = await response.text()
  const body = parse(text)
  if (response.ok) return body as Output
  if (response.status === 401 && !path.startsWith('/console/')) endSession()
  throw new CallError(response.status, messageIn(body) ?? `The server responded with ${response.status}.`)
}

export const withQuery = (path: string, query: Query): string => {
  const given = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]))
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function messageIn(body: unknown): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  if ('Message' in body && typeof body.Message === 'string') return body.Message
  return 'message' in body && typeof body.message === 'string' ? body.message : undefined
}
