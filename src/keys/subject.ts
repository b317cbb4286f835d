import type { Reader } from '../store/store.ts'
import { type Grant, subjectOf } from './grant.ts'

/** The subject of a new key does not exist. */
export class UnknownSubject extends Error {}

/** What the store has about the subject of a grant. */
interface Subject {
  /** The number of the user, if the key is for one. */
  userId: number | undefined
  /** The user's keys that were issued before have ended; in the future while the user is suspended. */
  keysNotBeforeMs: number
}

/** Throws an UnknownSubject if the AppInstance, the user or the flow of the key does not exist. */
export async function findSubject(read: Reader, grant: Grant): Promise<Subject> {
  const subject = grant.kind === 'function' ? undefined : subjectOf(grant)
  if (subject === undefined) return { userId: undefined, keysNotBeforeMs: 0 }
  const row = await read.get<{ user_id: number | null; keys_not_before: number | null }>(
    `SELECT user_id, keys_not_before FROM app_instance_user WHERE app_instance_user_arn = $1 AND deleted_at IS NULL
     UNION ALL SELECT NULL, NULL FROM app_instance WHERE app_instance_arn = $1
     UNION ALL SELECT NULL, NULL FROM channel_flow WHERE channel_flow_arn = $1`,
    subject,
  )
  const isUser = typeof row?.user_id === 'number'
  if (!row || isUser !== (grant.kind === 'user')) throw new UnknownSubject(`${subject} does not exist`)
  return { userId: row.user_id ?? undefined, keysNotBeforeMs: row.keys_not_before ?? 0 }
}
