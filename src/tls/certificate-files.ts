import { createPrivateKey, X509Certificate } from 'node:crypto'
import { type FSWatcher, readFileSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { type Cancel, type Clock, every } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { CertifiedKey } from './issue-certificate.ts'

/** The paths of a certificate with its chain, and of its private key: two PEM files, which may be links. */
export interface CertificateFiles {
  certificate: string
  key: string
}

/**
 * Uses a certificate with its key from now on. If the pair is not valid, this throws and the previous pair stays in
 * use.
 */
export type UseCertificate = (pair: CertifiedKey) => void

/** Time between the replacements of the two files. It also limits how often the files in a busy folder are read. */
export const settleMs = 1_000
/** For changes that a folder's watcher does not see: network file systems, and links further up the path. */
export const checkEveryMs = 5 * 60_000

/**
 * Loads the certificate and its key from the files, now and after each change. The returned function stops that. Throws
 * if the first pair is not valid. If a later one is not valid, an error is logged and the previous pair stays in use.
 */
export function followCertificateFiles(
  files: CertificateFiles,
  use: UseCertificate,
  { clock, log }: { clock: Clock; log: Log },
): Cancel {
  const reloader = new Reloader(files, use, log)
  reloader.load()
  let soon: Cancel | undefined
  const reloadSoon = () => {
    soon ??= clock.at(clock.now() + settleMs, () => {
      soon = undefined
      reloader.reload()
    })
  }
  const watchers = watchFolders(files, reloadSoon, log)
  const stop = every(clock, checkEveryMs, () => reloader.reload())
  return () => {
    for (const watcher of watchers) watcher.close()
    soon?.()
    stop()
  }
}

class Reloader {
  readonly #files: CertificateFiles
  readonly #use: UseCertificate
  readonly #log: Log
  /** The last pair that was read, so that an invalid one is logged once. */
  #seen: CertifiedKey | undefined

  constructor(files: CertificateFiles, use: UseCertificate, log: Log) {
    this.#files = files
    this.#use = use
    this.#log = log
  }

  load(): void {
    const { certificate, key } = this.#files
    try {
      const pair = { certificatePem: readFileSync(certificate, 'utf8'), privateKeyPem: readFileSync(key, 'utf8') }
      if (pair.certificatePem === this.#seen?.certificatePem && pair.privateKeyPem === this.#seen.privateKeyPem) return
      this.#seen = pair
      const { subjectAltName: names, validTo } = requirePair(pair)
      this.#use(pair)
      this.#log.info({ certificate, names, validTo }, 'certificate loaded')
    } catch (error) {
      throw new Error(`the certificate ${certificate} and the key ${key} cannot be used: ${messageOf(error)}`)
    }
  }

  reload(): void {
    try {
      this.load()
    } catch (error) {
      this.#log.error({}, `${messageOf(error)}; the previous certificate stays in use`)
    }
  }
}

/** Returns the certificate, the first one if there is a chain. Throws unless the key belongs to it. */
export function requirePair({ certificatePem, privateKeyPem }: CertifiedKey): X509Certificate {
  const certificate = parse('the certificate', () => new X509Certificate(certificatePem))
  const key = parse('the private key', () => createPrivateKey(privateKeyPem))
  if (!certificate.checkPrivateKey(key)) throw new Error('the private key does not belong to the certificate')
  return certificate
}

/** OpenSSL's error describes the problem, but does not name the file. */
function parse<Parsed>(what: string, read: () => Parsed): Parsed {
  try {
    return read()
  } catch (error) {
    throw new Error(`${what} must be PEM (${messageOf(error)})`)
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/**
 * Watches the folders and not the files, because certificates are replaced by renaming files and by switching links: a
 * watched file would be the old one.
 */
function watchFolders({ certificate, key }: CertificateFiles, act: () => void, log: Log): FSWatcher[] {
  const folders = new Set([dirname(certificate), dirname(key)])
  return [...folders].flatMap((folder) => {
    const complain = (err: unknown) =>
      log.warn({ err, folder }, `changed certificates are noticed only every ${checkEveryMs / 60_000} minutes`)
    try {
      return [watch(folder, { persistent: false }, act).on('error', complain)]
    } catch (error) {
      complain(error)
      return []
    }
  })
}
