import type { Reader } from '../store/store.ts'
import type { DerivedSecrets } from './derived-secrets.ts'
import type { KeptGrant } from './grant.ts'
import type { Credentials, Key } from './key.ts'
import { findSubject } from './subject.ts'
import { issueTemporaryKey } from './temporary-keys.ts'

/** A temporary key for its holder. */
export interface IssuedKey extends Required<Credentials> {
  expiresAtMs: number
}

interface NewTemporaryKey {
  grant: KeptGrant
  /** For the audit log. */
  name?: string | undefined
  durationMs: number
  /** The access key that asks for this one. The new key does not outlive it. */
  parent?: Pick<Key, 'accessKeyId' | 'expiresAtMs'> | undefined
}

/** All keys of the subject are suspended. */
export class SuspendedSubject extends Error {}

/** Throws an UnknownSubject or a SuspendedSubject. */
export async function issueKeyFor(
  { read, secrets }: { read: Reader; secrets: DerivedSecrets },
  { grant, name, durationMs, parent }: NewTemporaryKey,
  now: number,
): Promise<IssuedKey> {
  const { userId, keysNotBeforeMs } = await findSubject(read, grant)
  if (keysNotBeforeMs > now) throw new SuspendedSubject('The keys of the user are suspended')
  const expiresAtMs = Math.min(now + durationMs, parent?.expiresAtMs ?? Number.POSITIVE_INFINITY)
  const key = { grant, userId, parentId: parent?.accessKeyId, name, issuedAtMs: now, expiresAtMs }
  return { ...issueTemporaryKey(secrets, key), expiresAtMs }
}
