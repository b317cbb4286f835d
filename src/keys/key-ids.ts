import { randomBytes } from 'node:crypto'
import type { Credentials } from './key.ts'

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** As AWS begins the ids of its own keys: `AKIA` for a long-term key, `ASIA` for one with a session token. */
type Prefix = 'AKIA' | 'ASIA'

/** 20 capital letters and digits, as some clients check. `bytes`: 16 or more. */
export const keyIdOf = (prefix: Prefix, bytes: Uint8Array): string =>
  prefix + [...bytes.subarray(0, 16)].map((byte) => digits[byte % digits.length]).join('')

export const newKeyId = (prefix: Prefix): string => keyIdOf(prefix, randomBytes(16))

/** Has the form of AWS's long-term keys, which some clients check: a secret of 40 characters. */
export const newKeyPair = (): Credentials => ({
  accessKeyId: newKeyId('AKIA'),
  secretAccessKey: randomBytes(30).toString('base64url'),
})
