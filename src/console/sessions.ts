import { randomBytes } from 'node:crypto'
import type { OperatorRole } from '../keys/grant.ts'
import type { FindKey, Key } from '../keys/key.ts'
import { recordAct } from '../store/audit.ts'
import type { Store, Transaction } from '../store/store.ts'
import { redeemLink } from './links.ts'
import { hashOf, isSame } from './secrets.ts'

/** A person signs in again after so long. */
export const sessionMs = 12 * 3_600_000
/** One more session of a key ends the oldest. */
const sessionsPerKeyMax = 20

/** A person who is signed in. */
export interface ConsoleSession {
  /** The hash of the cookie's value. */
  hash: string
  /** The key with which the person acts. Its name is that of the session, for the audit log. */
  key: Key
  role: OperatorRole
  /** Undefined: of the whole server. */
  appInstanceArn: string | undefined
  /** The name of the key. */
  name: string
  expiresAtMs: number
}

/** What a person signs in with: the token of a link, or an access key. */
export type Proof = { token: string } | { accessKeyId: string; secretAccessKey: string }

interface SessionParts {
  store: Pick<Store, 'read' | 'transaction'>
  findKey: FindKey
  /** The key for which a link stands. */
  rootKeyId: string
  /** Whether links are accepted: only a server that no other machine reaches prints them. */
  acceptsLinks: boolean
  now(): number
}

interface SessionRow {
  session_hash: string
  access_key_id: string
  expires_at: number
}

/**
 * The sessions of the console. They are rows, so every node knows them. A session acts with its key, which is found again
 * for each call: when the key is suspended, deleted or over, so is the session.
 */
export class ConsoleSessions {
  readonly #parts: SessionParts

  constructor(parts: SessionParts) {
    this.#parts = parts
  }

  /** Undefined if the proof is not good. `cookie`: the value to find the session by. */
  async begin(
    proof: Proof,
    address: string | undefined,
  ): Promise<{ cookie: string; session: ConsoleSession } | undefined> {
    const key = await this.#keyFor(proof)
    if (!key) return undefined
    const cookie = randomBytes(32).toString('base64url')
    const isBegun = await this.#parts.store.transaction(async (transaction) => {
      const now = this.#parts.now()
      if ('token' in proof && !(await redeemLink(transaction, proof.token, now))) return false
      await this.#insert(transaction, cookie, key, now)
      const facts = { With: 'token' in proof ? 'link' : 'access key' }
      await recordAct(transaction, { ...this.#act('SignIn', key, now), facts, address })
      return true
    })
    const session = isBegun ? await this.find(cookie) : undefined
    return session && { cookie, session }
  }

  /** Undefined if there is no such session, or its key is not accepted any more. */
  async find(cookie: string | undefined): Promise<ConsoleSession | undefined> {
    return cookie === undefined ? undefined : this.findByHash(hashOf(cookie))
  }

  async findByHash(hash: string): Promise<ConsoleSession | undefined> {
    const { store, findKey, now } = this.#parts
    const row = await store.read.get<SessionRow>('SELECT * FROM console_session WHERE session_hash = $1', hash)
    if (!row || row.expires_at <= now()) return undefined
    const key = await findKey(row.access_key_id, undefined)
    if (!key || !isGood(key, now())) return undefined
    const { role, appInstanceArn } = key.grant
    const name = key.name ?? key.accessKeyId
    const named = { ...key, name: `console session of ${name}` }
    return { hash, key: named, role, appInstanceArn, name, expiresAtMs: row.expires_at }
  }

  async end({ hash, key }: ConsoleSession, address: string | undefined): Promise<void> {
    await this.#parts.store.transaction(async (transaction) => {
      const ended = await transaction.run('DELETE FROM console_session WHERE session_hash = $1', hash)
      if (ended === 0) return
      await recordAct(transaction, { ...this.#act('SignOut', key, this.#parts.now()), facts: {}, address })
    })
  }

  async #keyFor(proof: Proof): Promise<OperatorKey | undefined> {
    const { findKey, rootKeyId, acceptsLinks, now } = this.#parts
    if ('token' in proof && !acceptsLinks) return undefined
    const key = await findKey('token' in proof ? rootKeyId : proof.accessKeyId, undefined)
    const secret = 'token' in proof ? key?.secretAccessKey : proof.secretAccessKey
    // Compared with something else if there is no such key, so that the time does not say so.
    const isSecret = isSame(secret ?? '', key?.secretAccessKey ?? rootKeyId)
    return key && isSecret && isGood(key, now()) ? key : undefined
  }

  async #insert(transaction: Transaction, cookie: string, key: Key, now: number): Promise<void> {
    await transaction.run(
      `DELETE FROM console_session WHERE expires_at <= $1 OR session_hash IN (
         SELECT session_hash FROM console_session WHERE access_key_id = $2
         ORDER BY created_at DESC, session_hash LIMIT 1000 OFFSET $3)`,
      now,
      key.accessKeyId,
      sessionsPerKeyMax - 1,
    )
    await transaction.insert('console_session', {
      session_hash: hashOf(cookie),
      access_key_id: key.accessKeyId,
      created_at: now,
      expires_at: Math.min(now + sessionMs, key.expiresAtMs ?? Number.POSITIVE_INFINITY),
    })
  }

  #act(name: string, { accessKeyId, name: keyName, grant }: Key, at: number) {
    const scopeArn = grant.kind === 'operator' ? grant.appInstanceArn : undefined
    return { at, accessKeyId, keyName, action: `carillon:${name}`, scopeArn }
  }
}

type OperatorKey = Key & { grant: { kind: 'operator' } }

const isGood = (key: Key, now: number): key is OperatorKey =>
  key.grant.kind === 'operator' && !key.suspended && (key.expiresAtMs ?? Number.POSITIVE_INFINITY) > now
