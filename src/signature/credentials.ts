/** A key pair that may sign calls. For now each may do everything as everyone, until it is suspended. */
export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
  /** Of temporary credentials: the token that has to come with every call signed by this key. */
  sessionToken?: string
  /** Of temporary credentials: they are refused from this moment on. Milliseconds since the epoch. */
  expiresAtMs?: number
  /** Whoever holds it is known, and may do nothing. */
  suspended?: boolean
}

/** The key pair with this id, or undefined if there is none. */
export type FindCredentials = (accessKeyId: string) => Promise<Credentials | undefined> | Credentials | undefined
