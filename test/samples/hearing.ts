import assert from 'node:assert/strict'
import { type ChatApp, requireShowable } from './chat-app.ts'
import type { Answer } from './sdk.ts'

/** What an SDK throws: v2 has the code of the error, v3 its class. */
const isRefusal = (code: string) => (error: Answer) => [code, `${code}Exception`].includes(error.code ?? error.name)
export const isForbidden = isRefusal('Forbidden')
export const isConflict = isRefusal('Conflict')

/** Waits until each of them has got the event, and returns its payload, which is the same for all. */
export async function hear(type: string, ...apps: ChatApp[]): Promise<Answer> {
  const payloads = await Promise.all(apps.map((app) => app.hear(type)))
  for (const payload of payloads) assert.deepEqual(payload, payloads[0])
  return payloads[0]
}

/** The same for an event about a message, which pages show. */
export async function hearMessage(type: string, ...apps: ChatApp[]): Promise<Answer> {
  const message = await hear(type, ...apps)
  requireShowable(message)
  return message
}
