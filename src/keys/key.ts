import type { Grant } from './grant.ts'

/** What signs a call. */
export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
  /** The token that every call signed by this key must have. Only keys without a row in the store have one. */
  sessionToken?: string
}

/** An access key as the server knows it. */
export interface Key extends Credentials {
  grant: Grant
  /** For the audit log. */
  name?: string | undefined
  /** The key from which this temporary one was made. It ends with that. */
  parentId?: string | undefined
  /** When the key ends, in milliseconds since the epoch. */
  expiresAtMs?: number | undefined
  /** The key is known, but no call that it signs is allowed. */
  suspended?: boolean
}

/**
 * The key with this id, or undefined if there is none. `sessionToken`: as the caller sent it, not verified; a key that
 * is made from it is verified.
 */
export type FindKey = (
  accessKeyId: string,
  sessionToken: string | undefined,
) => Promise<Key | undefined> | Key | undefined
