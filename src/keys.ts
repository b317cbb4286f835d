import { randomBytes } from 'node:crypto'
import type { Config } from './config.ts'
import {
  type CertifiedKey,
  certificateIsFresh,
  certificateNames,
  createAuthority,
  issueCertificate,
} from './runtime/certificates.ts'
import type { DataFolder } from './runtime/data-folder.ts'
import type { Credentials } from './signature/credentials.ts'
import { keepSetting } from './store/settings.ts'
import type { Store } from './store/store.ts'

/** What a server keeps for as long as its data: whoever shares the store shares the keys. */
export interface Keys {
  /** May do everything as everyone. */
  root: Credentials
  /** Signs the certificates that clients come to trust. */
  authority: CertifiedKey
  /** Signs paging tokens. */
  token: string
}

export async function keepKeys(store: Store, { credentials }: Config, now: number): Promise<Keys> {
  const root = JSON.parse(await keepSetting(store, 'root_key', () => JSON.stringify(createRootKey())))
  const authority = JSON.parse(
    await keepSetting(store, 'authority', async () => JSON.stringify(await createAuthority(now))),
  )
  const token = await keepSetting(store, 'token_key', () => randomBytes(32).toString('base64url'))
  return { root: credentials ?? root, authority, token }
}

/** In the form of AWS's long-term keys, which some clients check: 20 capital letters and digits, and 40 characters. */
function createRootKey(): Credentials {
  const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
  const id = [...randomBytes(16)].map((byte) => digits[byte % digits.length]).join('')
  return { accessKeyId: `AKIA${id}`, secretAccessKey: randomBytes(30).toString('base64url') }
}

/** Region and account are parts of every ARN, so they stay what they were when the first was made. */
export async function pinPlace(store: Store, { region, account }: Config): Promise<void> {
  for (const [name, value] of Object.entries({ region, account })) {
    const kept = await keepSetting(store, name, () => value)
    if (kept !== value) {
      throw new Error(
        `the data folder was made for ${name} ${kept}, not ${value}: set --${name} ${kept}, or use another`,
      )
    }
  }
}

const authorityFile = 'ca.pem'
/** Certificate and key in one, so that a crash never leaves two that do not belong together. */
const certificateFile = 'certificate.pem'
const privateKeyStart = '-----BEGIN PRIVATE KEY-----'

/** The server's certificate, kept while it is fresh, so that a browser which accepted it once knows it again. */
export async function keepCertificate(
  folder: DataFolder,
  authority: CertifiedKey,
  { host, publicHost }: Config,
  now: number,
): Promise<CertifiedKey> {
  folder.writeSecret(authorityFile, authority.certificatePem)
  const names = certificateNames(host, publicHost)
  const kept = readCertificate(folder)
  if (kept && certificateIsFresh(kept.certificatePem, names, authority.certificatePem, now)) return kept
  const issued = await issueCertificate(authority, names, now)
  folder.writeSecret(certificateFile, issued.certificatePem + issued.privateKeyPem)
  return issued
}

function readCertificate(folder: DataFolder): CertifiedKey | undefined {
  const text = folder.read(certificateFile)
  const at = text?.indexOf(privateKeyStart) ?? -1
  return text && at > 0 ? { certificatePem: text.slice(0, at), privateKeyPem: text.slice(at) } : undefined
}
