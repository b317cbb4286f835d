import { type Cancel, type Clock, every } from '../runtime/clock.ts'
import type { DataFolder } from '../runtime/data-folder.ts'
import type { Log } from '../runtime/log.ts'
import { type CertificateFiles, followCertificateFiles, requirePair, type UseCertificate } from './certificate-files.ts'
import { type CertifiedKey, certificateIsFresh, certificateNames, issueCertificate } from './issue-certificate.ts'

/** The authority's certificate, in the data folder, for clients to trust. */
export const authorityFile = 'ca.pem'
/** Certificate and key in one file, so that a crash never leaves two that do not belong together. */
const certificateFile = 'certificate.pem'
const privateKeyStart = '-----BEGIN PRIVATE KEY-----'

/** The period of checking whether the issued certificate must be renewed. */
const renewEveryMs = 24 * 60 * 60 * 1000

/** The source of the certificate: the operator's files, or the names for which the server issues one. */
interface CertificateSettings {
  tlsFiles: CertificateFiles | undefined
  host: string
  publicHost: string | undefined
  tlsNames: string[]
}

interface Surroundings {
  folder: DataFolder
  authority: CertifiedKey
  clock: Clock
  log: Log
}

/** Uses the operator's certificate, or issues one, and keeps it up to date until it is cancelled. */
export async function followCertificate(
  settings: CertificateSettings,
  surroundings: Surroundings,
  use: UseCertificate,
): Promise<Cancel> {
  if (settings.tlsFiles) return followCertificateFiles(settings.tlsFiles, use, surroundings)
  const { folder, authority, clock, log } = surroundings
  folder.writeSecret(authorityFile, authority.certificatePem)
  let inUse = ''
  const renew = async () => {
    const pair = await keepCertificate(settings, surroundings)
    if (pair.certificatePem === inUse) return
    use(pair)
    inUse = pair.certificatePem
  }
  await renew()
  return every(clock, renewEveryMs, () => {
    renew().catch((err: unknown) => log.error({ err }, 'certificate renewal failed'))
  })
}

/**
 * Keeps the certificate in the data folder while it is fresh, so that browsers that have accepted it need not do so
 * again.
 */
async function keepCertificate(
  { host, publicHost, tlsNames }: CertificateSettings,
  { folder, authority, clock, log }: Surroundings,
): Promise<CertifiedKey> {
  const names = certificateNames(host, publicHost, tlsNames)
  const kept = readCertificate(folder, log)
  if (kept && certificateIsFresh(kept.certificatePem, names, authority.certificatePem, clock.now())) return kept
  const issued = await issueCertificate(authority, names, clock.now())
  folder.writeSecret(certificateFile, issued.certificatePem + issued.privateKeyPem)
  log.info({ names }, 'certificate issued')
  return issued
}

/** Undefined if there is none, or if it is damaged: a damaged file must not prevent a start. */
function readCertificate(folder: DataFolder, log: Log): CertifiedKey | undefined {
  const text = folder.read(certificateFile)
  if (text === undefined) return undefined
  const at = text.indexOf(privateKeyStart)
  const kept = { certificatePem: text.slice(0, at), privateKeyPem: text.slice(at) }
  try {
    requirePair(kept)
    return kept
  } catch (err) {
    log.warn({ err }, `${certificateFile} is damaged: issuing another certificate`)
    return undefined
  }
}
