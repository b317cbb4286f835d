/** A key pair that may sign calls. For now there is one, the root key, which may do everything as everyone. */
export interface Credentials {
  accessKeyId: string
  secretAccessKey: string
}

/** The key pair with this id, or undefined if there is none. */
export type FindCredentials = (accessKeyId: string) => Promise<Credentials | undefined> | Credentials | undefined
