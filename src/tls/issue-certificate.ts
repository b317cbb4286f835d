import { webcrypto, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import type * as X509 from '@peculiar/x509'
import { isEverywhere } from '../runtime/listening.ts'

/** A certificate and the private key of its public key, both as PEM. */
export interface CertifiedKey {
  certificatePem: string
  privateKeyPem: string
}

const dayMs = 24 * 60 * 60 * 1000
const authorityDays = 3650
/** Well within the 825 days that Apple's systems allow for a certificate of a private authority. */
const certificateDays = 397
const renewalDays = 30
/** So a client whose clock is behind accepts a new certificate, too. */
const backdatedMs = 60 * 60 * 1000

/** Loaded only to issue a certificate, which is rare: loading takes 120 ms. */
async function loadX509(): Promise<typeof X509> {
  // @peculiar/x509 resolves its parts by decorator metadata and refuses to load without this.
  await import('reflect-metadata')
  return import('@peculiar/x509')
}

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/**
 * Creates the server's own certificate authority, valid for ten years. It signs server certificates and no further
 * authorities. Keys and serial numbers come from the system's random source, which a test cannot and need not control.
 */
export async function createAuthority(nowMs: number): Promise<CertifiedKey> {
  const x509 = await loadX509()
  const keys = await createKeys()
  const identifier = await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    keys,
    name: [{ CN: [`Carillon local CA ${identifier.keyId.slice(0, 8)}`] }],
    notBefore: new Date(nowMs - backdatedMs),
    notAfter: new Date(nowMs + authorityDays * dayMs),
    signingAlgorithm: ecdsa,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
      identifier,
    ],
  })
  return toPem(x509, certificate, keys.privateKey)
}

/** Issues a server certificate for these host names and IP addresses, signed by the authority. */
export async function issueCertificate(authority: CertifiedKey, names: string[], nowMs: number): Promise<CertifiedKey> {
  const x509 = await loadX509()
  const issuer = new x509.X509Certificate(authority.certificatePem)
  const keys = await createKeys()
  const certificate = await x509.X509CertificateGenerator.create({
    publicKey: keys.publicKey,
    signingKey: await importPrivateKey(x509.PemConverter.decodeFirst(authority.privateKeyPem)),
    signingAlgorithm: ecdsa,
    subject: [{ CN: ['Carillon'] }],
    issuer: issuer.subjectName,
    notBefore: new Date(nowMs - backdatedMs),
    notAfter: new Date(nowMs - backdatedMs + certificateDays * dayMs),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        withoutRepeats(names).map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
    ],
  })
  return toPem(x509, certificate, keys.privateKey)
}

/**
 * Whether a stored certificate can stay in use: for exactly these names, from this authority, valid for another 30
 * days. After a restart, browsers then see the certificate that their users have accepted.
 */
export function certificateIsFresh(pem: string, names: string[], authorityPem: string, nowMs: number): boolean {
  const certificate = new X509Certificate(pem)
  const authority = new X509Certificate(authorityPem)
  return (
    certificate.validFromDate.getTime() <= nowMs &&
    certificate.validToDate.getTime() > nowMs + renewalDays * dayMs &&
    certificate.checkIssued(authority) &&
    certificate.verify(authority.publicKey) &&
    isForExactly(certificate, names)
  )
}

/** Whether the certificate has as many names, and all of these. */
function isForExactly(certificate: X509Certificate, names: string[]): boolean {
  const wanted = withoutRepeats(names)
  const count = certificate.subjectAltName?.split(', ').length ?? 0
  const has = (name: string) =>
    isIP(name) === 0 ? certificate.checkHost(name, { wildcards: false, subject: 'never' }) : certificate.checkIP(name)
  return count === wanted.length && wanted.every((name) => has(name) !== undefined)
}

/**
 * The host names of a server: the loopback ones, its listening address unless that stands for all, the host of
 * `publicHost` (`host[:port]`), and further ones.
 */
export function certificateNames(listeningHost: string, publicHost?: string, further: string[] = []): string[] {
  const names = ['localhost', '127.0.0.1', '::1']
  if (!isEverywhere(listeningHost)) names.push(listeningHost.toLowerCase())
  // The URL of an IPv6 address keeps its brackets.
  if (publicHost) names.push(new URL(`https://${publicHost}`).hostname.replace(/^\[|\]$/g, ''))
  return [...new Set([...names, ...further.map((name) => name.toLowerCase())])]
}

const withoutRepeats = (names: string[]): string[] => [...new Set(names)].sort()

function createKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(ecdsa, true, ['sign', 'verify'])
}

async function toPem(
  { PemConverter }: typeof X509,
  certificate: X509.X509Certificate,
  privateKey: CryptoKey,
): Promise<CertifiedKey> {
  const pkcs8 = await webcrypto.subtle.exportKey('pkcs8', privateKey)
  return {
    certificatePem: certificate.toString('pem') + '\n',
    privateKeyPem: PemConverter.encode(pkcs8, 'PRIVATE KEY') + '\n',
  }
}

function importPrivateKey(pkcs8: ArrayBuffer): Promise<CryptoKey> {
  return webcrypto.subtle.importKey('pkcs8', pkcs8, ecdsa, false, ['sign'])
}
