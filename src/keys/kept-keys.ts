import { randomBytes } from 'node:crypto'
import type { AwsLocation } from '../contract/arn.ts'
import { keepSetting } from '../store/kept-value.ts'
import type { Store } from '../store/store.ts'
import { type CertifiedKey, createAuthority } from '../tls/issue-certificate.ts'
import { DerivedSecrets } from './derived-secrets.ts'
import type { Credentials } from './key.ts'
import { newKeyPair } from './key-ids.ts'

/** The keys of a server. They are stored with its data, so all nodes of a store share them. */
export interface Keys {
  /** May do everything as every user. */
  root: Credentials
  /** Signs the certificates that clients trust. */
  authority: CertifiedKey
  /** Signs paging tokens. */
  token: string
  /** For the keys of functions, and temporary ones. */
  secrets: DerivedSecrets
  /** Distinguishes the nodes of this store from those of another one. */
  cluster: string
}

/** `own`: the root key that the operator has set, instead of the stored one. */
export async function keepKeys(store: Store, own: Credentials | undefined, now: number): Promise<Keys> {
  const root = JSON.parse(await keepSetting(store, 'root_key', () => JSON.stringify(newKeyPair())))
  const authority = JSON.parse(
    await keepSetting(store, 'authority', async () => JSON.stringify(await createAuthority(now))),
  )
  const token = await keepSetting(store, 'token_key', () => randomBytes(32).toString('base64url'))
  const cluster = await keepSetting(store, 'cluster', () => randomBytes(8).toString('hex'))
  return { root: own ?? root, authority, token, secrets: new DerivedSecrets(token), cluster }
}

/** Region and account are parts of every ARN, so they cannot change after the first start. */
export async function pinLocation(store: Store, { region, account }: AwsLocation): Promise<void> {
  for (const [name, value] of Object.entries({ region, account })) {
    const kept = await keepSetting(store, name, () => value)
    if (kept !== value) {
      throw new Error(
        `the store was created for ${name} ${kept}, not ${value}: set --${name} ${kept}, or use another store`,
      )
    }
  }
}
