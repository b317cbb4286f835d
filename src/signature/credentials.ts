/** A key pair that may sign calls. For now each may do everything as every user, until it is suspended. */
export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
  /** The token that every call signed by this key must have. Only temporary credentials have one. */
  sessionToken?: string
  /** When the key expires, in milliseconds since the epoch. Only temporary credentials expire. */
  expiresAtMs?: number
  /** The key is known, but no call that it signs is allowed. */
  suspended?: boolean
}

/** The key pair with this id, or undefined if there is none. */
export type FindCredentials = (accessKeyId: string) => Promise<Credentials | undefined> | Credentials | undefined
