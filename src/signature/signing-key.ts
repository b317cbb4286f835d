import { hash } from 'node:crypto'

/** One key serves all calls of an access key in a day; beyond this many, the oldest is derived again when needed. */
const signingKeysMax = 1000

/** By the inputs of a pure function, so that it does not matter who shares it. */
const signingKeys = new Map<string, HmacKey>()

/** What a key is mixed into, kept so that a signature costs two hashes and no key set-up (RFC 2104). */
interface HmacKey {
  innerPad: Uint8Array
  outerPad: Uint8Array
}

/** The key that signs for `scope`, which is `yyyyMMdd/region/service/aws4_request`. */
export function signingKey(secretAccessKey: string, scope: string): HmacKey {
  const id = `${scope}/${secretAccessKey}`
  const known = signingKeys.get(id)
  if (known) return known
  let key = hmacKey(Buffer.from(`AWS4${secretAccessKey}`))
  for (const part of scope.split('/')) key = hmacKey(hmac(key, part))
  if (signingKeys.size >= signingKeysMax) signingKeys.delete(signingKeys.keys().next().value!)
  signingKeys.set(id, key)
  return key
}

const blockBytes = 64

export function hmacKey(secret: Uint8Array): HmacKey {
  const key = secret.length > blockBytes ? hash('sha256', secret, 'buffer') : secret
  const pad = (mask: number) => Uint8Array.from({ length: blockBytes }, (_, index) => (key[index] ?? 0) ^ mask)
  return { innerPad: pad(0x36), outerPad: pad(0x5c) }
}

/**
 * HMAC-SHA256, 32 bytes. `createHmac` would do the same for a text of this size in 2.5 µs on Node 26, but in 13 µs on
 * Node 24, where it sets up a key object each time; two one-shot hashes take 2 to 3 µs on both.
 */
export function hmac({ innerPad, outerPad }: HmacKey, text: string): Buffer {
  const inner = hash('sha256', Buffer.concat([innerPad, Buffer.from(text)]), 'buffer')
  return hash('sha256', Buffer.concat([outerPad, inner]), 'buffer')
}
