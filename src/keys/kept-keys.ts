import { randomBytes } from 'node:crypto'
import type { Place } from '../contract/arn.ts'
import type { Credentials } from '../signature/credentials.ts'
import { keepSetting } from '../store/kept-value.ts'
import type { Store } from '../store/store.ts'
import { type CertifiedKey, createAuthority } from '../tls/issue-certificate.ts'
import { newKeyPair } from './access-keys.ts'

/** What a server keeps for as long as its data: whoever shares the store shares the keys. */
export interface Keys {
  /** May do everything as everyone. */
  root: Credentials
  /** Signs the certificates that clients come to trust. */
  authority: CertifiedKey
  /** Signs paging tokens. */
  token: string
  /** Tells the nodes of this store from those of another. */
  cluster: string
}

/** `own`: the root key that the operator has set, in place of the one that the store keeps. */
export async function keepKeys(store: Store, own: Credentials | undefined, now: number): Promise<Keys> {
  const root = JSON.parse(await keepSetting(store, 'root_key', () => JSON.stringify(newKeyPair())))
  const authority = JSON.parse(
    await keepSetting(store, 'authority', async () => JSON.stringify(await createAuthority(now))),
  )
  const token = await keepSetting(store, 'token_key', () => randomBytes(32).toString('base64url'))
  const cluster = await keepSetting(store, 'cluster', () => randomBytes(8).toString('hex'))
  return { root: own ?? root, authority, token, cluster }
}

/** Region and account are parts of every ARN, so they stay what they were when the first was made. */
export async function pinPlace(store: Store, { region, account }: Place): Promise<void> {
  for (const [name, value] of Object.entries({ region, account })) {
    const kept = await keepSetting(store, name, () => value)
    if (kept !== value) {
      throw new Error(
        `the store was made for ${name} ${kept}, not ${value}: set --${name} ${kept}, or use another store`,
      )
    }
  }
}
