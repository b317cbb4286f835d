import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'

/** Each purpose has a secret of its own, so that what is signed for one is never accepted for another. */
const purposes = {
  temporarySecret: 'carillon temporary secret access key',
  temporaryToken: 'carillon temporary session token',
  functionSecret: 'carillon function secret access key',
  functionToken: 'carillon function session token',
  functionId: 'carillon function access key id',
  messageIds: 'carillon message ids',
} as const

export type Purpose = keyof typeof purposes

/** Secrets that every node of a store derives from the same stored one (HKDF, RFC 5869). */
export class DerivedSecrets {
  readonly #secrets: ReadonlyMap<Purpose, Buffer>

  /** `stored`: a secret of 32 random bytes or more, which signs nothing itself. */
  constructor(stored: string) {
    const derive = (label: string) => Buffer.from(hkdfSync('sha256', stored, '', label, 32))
    this.#secrets = new Map(Object.entries(purposes).map(([purpose, label]) => [purpose as Purpose, derive(label)]))
  }

  mac(purpose: Purpose, text: string): Buffer {
    return createHmac('sha256', this.#secrets.get(purpose)!).update(text).digest()
  }

  /** `text.mac` */
  sign(purpose: Purpose, text: string): string {
    const encoded = Buffer.from(text).toString('base64url')
    return `${encoded}.${this.mac(purpose, encoded).toString('base64url')}`
  }

  /** The text that was signed for this purpose, or undefined if this is no such text. In constant time. */
  verify(purpose: Purpose, signed: string): string | undefined {
    const [encoded = '', mac = ''] = signed.split('.')
    const [expected, given] = [this.mac(purpose, encoded), Buffer.from(mac, 'base64url')]
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) return undefined
    return Buffer.from(encoded, 'base64url').toString()
  }
}
