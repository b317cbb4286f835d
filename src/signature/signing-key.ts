import { hash } from 'node:crypto'

/**
 * One key signs all calls of an access key in a day; beyond this maximum, the oldest is dropped and derived again on
 * demand.
 */
const signingKeysMax = 1000

/** A cache of a pure function, keyed by its inputs, so all servers of a process can share it. */
const signingKeys = new Map<string, HmacKey>()

/** The padded key (RFC 2104). It is kept, so that a signature costs two hashes and no key set-up. */
interface HmacKey {
  innerPad: Buffer
  /** The outer pad, followed by room for the inner hash. */
  outer: Buffer
}

/** The key that signs for `scope`, which is `yyyyMMdd/region/service/aws4_request`. */
export function signingKey(secretAccessKey: string, scope: string): HmacKey {
  const id = `${scope}/${secretAccessKey}`
  const known = signingKeys.get(id)
  if (known) return known
  let key = hmacKey(Buffer.from(`AWS4${secretAccessKey}`))
  for (const part of scope.split('/')) key = hmacKey(Buffer.from(hmac(key, part), 'hex'))
  if (signingKeys.size >= signingKeysMax) signingKeys.delete(signingKeys.keys().next().value!)
  signingKeys.set(id, key)
  return key
}

const blockBytes = 64
const hashBytes = 32

export function hmacKey(secret: Uint8Array): HmacKey {
  const key = secret.length > blockBytes ? hash('sha256', secret, 'buffer') : secret
  const pad = (mask: number) => Uint8Array.from({ length: blockBytes }, (_, index) => (key[index] ?? 0) ^ mask)
  return { innerPad: Buffer.from(pad(0x36)), outer: Buffer.concat([pad(0x5c), Buffer.alloc(hashBytes)]) }
}

/**
 * HMAC-SHA256, hexadecimal. `createHmac` takes 3.7 µs for a text of this size, and 13 µs on Node 24, where it sets up a
 * key object each time. Two one-shot hashes take 2.6 µs as texts, and 4.9 µs as buffers, since each of those is memory
 * outside the heap.
 */
export function hmac({ innerPad, outer }: HmacKey, text: string): string {
  const inner = Buffer.allocUnsafe(blockBytes + Buffer.byteLength(text))
  innerPad.copy(inner)
  inner.write(text, blockBytes)
  outer.write(hash('sha256', inner), blockBytes, 'hex')
  return hash('sha256', outer)
}
