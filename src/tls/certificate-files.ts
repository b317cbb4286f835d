import { createPrivateKey, X509Certificate } from 'node:crypto'
import { type FSWatcher, readFileSync, watch } from 'node:fs'
import { dirname } from 'node:path'
import { type Cancel, type Clock, every } from '../runtime/clock.ts'
import type { Log } from '../runtime/log.ts'
import type { CertifiedKey } from './issue-certificate.ts'

/** The paths of a certificate, with the chain behind it, and of its private key: two PEM files, which may be links. */
export interface CertificateFiles {
  certificate: string
  key: string
}

/** Puts a pair to use. Throws if it cannot, and then stays with the one before. */
export type UseCertificate = (pair: CertifiedKey) => void

/** Whoever replaces two files gets the time for both. It also bounds how often a busy folder is looked into. */
export const settleMs = 1_000
/** For what a folder's watcher does not see: network file systems, and links further up the path. */
export const checkEveryMs = 5 * 60_000

/**
 * Puts the pair in the files to use, now and whenever it has changed, and answers what ends that. Throws if the first
 * one cannot be used. A later one that cannot is logged as an error, and the one before stays.
 */
export function followCertificateFiles(
  files: CertificateFiles,
  use: UseCertificate,
  { clock, log }: { clock: Clock; log: Log },
): Cancel {
  const follower = new Follower(files, use, log)
  follower.look()
  let soon: Cancel | undefined
  const lookSoon = () => {
    soon ??= clock.at(clock.now() + settleMs, () => {
      soon = undefined
      follower.lookAgain()
    })
  }
  const watchers = watchFolders(files, lookSoon, log)
  const stop = every(clock, checkEveryMs, () => follower.lookAgain())
  return () => {
    for (const watcher of watchers) watcher.close()
    soon?.()
    stop()
  }
}

class Follower {
  readonly #files: CertificateFiles
  readonly #use: UseCertificate
  readonly #log: Log
  /** The last pair that was looked at, so that a broken one is told once. */
  #seen: CertifiedKey | undefined

  constructor(files: CertificateFiles, use: UseCertificate, log: Log) {
    this.#files = files
    this.#use = use
    this.#log = log
  }

  look(): void {
    const { certificate, key } = this.#files
    try {
      const pair = { certificatePem: readFileSync(certificate, 'utf8'), privateKeyPem: readFileSync(key, 'utf8') }
      if (pair.certificatePem === this.#seen?.certificatePem && pair.privateKeyPem === this.#seen.privateKeyPem) return
      this.#seen = pair
      const { subjectAltName: names, validTo } = requirePair(pair)
      this.#use(pair)
      this.#log.info({ certificate, names, validTo }, 'the certificate is in use')
    } catch (error) {
      throw new Error(`the certificate ${certificate} and the key ${key} cannot be used: ${messageOf(error)}`)
    }
  }

  lookAgain(): void {
    try {
      this.look()
    } catch (error) {
      this.#log.error({}, `${messageOf(error)}; the certificate before stays in use`)
    }
  }
}

/** Answers the certificate, the first one if there is a chain. Throws unless the key is its own. */
export function requirePair({ certificatePem, privateKeyPem }: CertifiedKey): X509Certificate {
  const certificate = parse('the certificate', () => new X509Certificate(certificatePem))
  const key = parse('the private key', () => createPrivateKey(privateKeyPem))
  if (!certificate.checkPrivateKey(key)) throw new Error('the private key does not belong to the certificate')
  return certificate
}

/** OpenSSL says what is wrong in its own words, but not with what. */
function parse<Parsed>(what: string, read: () => Parsed): Parsed {
  try {
    return read()
  } catch (error) {
    throw new Error(`${what} must be PEM (${messageOf(error)})`)
  }
}

const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error))

/**
 * The folders and not the files, because certificates are replaced by renaming files and by turning links: a watched file
 * would be the old one.
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
