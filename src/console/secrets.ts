import { hash, timingSafeEqual } from 'node:crypto'

/** What the store keeps in place of a random token: who reads the store cannot sign in with it. */
export const hashOf = (token: string): string => hash('sha256', token, 'base64url')

/** In a time that does not depend on the texts. */
export const isSame = (one: string, other: string): boolean =>
  timingSafeEqual(hash('sha256', one, 'buffer'), hash('sha256', other, 'buffer'))
