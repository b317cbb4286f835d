import { randomBytes } from 'node:crypto'
import type { Transaction } from '../store/store.ts'
import { hashOf } from './secrets.ts'

/** A link is good for so long, and for one sign-in. */
export const linkMs = 600_000
/** One more link ends the oldest. */
const linksMax = 100

/** Makes a link's token, which stands for the root key. Only its hash is kept. */
export async function createLink(transaction: Transaction, now: number): Promise<string> {
  const token = randomBytes(32).toString('base64url')
  await transaction.run(
    `DELETE FROM console_link WHERE expires_at <= $1 OR token_hash IN (
       SELECT token_hash FROM console_link ORDER BY expires_at DESC, token_hash LIMIT 1000 OFFSET $2)`,
    now,
    linksMax - 1,
  )
  await transaction.insert('console_link', { token_hash: hashOf(token), expires_at: now + linkMs })
  return token
}

/** Returns whether the token was good. It is not good any more. */
export async function redeemLink(transaction: Transaction, token: string, now: number): Promise<boolean> {
  const text = 'DELETE FROM console_link WHERE token_hash = $1 AND expires_at > $2'
  return (await transaction.run(text, hashOf(token), now)) === 1
}

/** The page posts what stands after the `#`, which browsers send to no server. */
export const linkTo = (console: string, token: string): string => `${console}/#token=${token}`
