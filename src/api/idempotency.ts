import { createHash } from 'node:crypto'
import { conflict } from '../contract/api-error.ts'
import type { Reader, Store, Transaction } from '../store/store.ts'
import type { TokenRow } from '../store/tables.ts'

/** How long a ClientRequestToken is remembered, at least. */
const rememberedMs = 24 * 3_600_000
/** Rows that one sweep takes away at most, so that it holds up nobody for long. */
const sweptMax = 10_000

/** One call with a ClientRequestToken: the same token by the same caller about the same thing is the same call. */
export interface TokenedCall {
  operation: string
  /** The channel or AppInstance that the call is about. */
  scope: string
  /** The bearer, or the access key where an operation has none. */
  caller: string
  token: string
  /** The input; its ClientRequestToken does not count. */
  parameters: object
}

/** Does the work once: a repeated call gets the first answer, the same token with other parameters a 409. */
export async function once<Answer extends object>(
  { store, now }: { store: Store; now(): number },
  call: Omit<TokenedCall, 'token'> & { token: string | undefined },
  work: (transaction: Transaction) => Promise<Answer>,
): Promise<Answer> {
  return store.transaction(async (transaction) => {
    const { token } = call
    if (token === undefined) return work(transaction)
    const known = await findAnswer<Answer>(transaction, { ...call, token })
    if (known) return known
    const answer = await work(transaction)
    const row = tokenRow({ ...call, token }, answer, now())
    await transaction.run(
      'INSERT INTO idempotency_token VALUES ($1, $2, $3, $4, $5, $6, $7)',
      row.scope,
      row.operation,
      row.caller,
      row.token,
      row.parameters_hash,
      row.answer_json,
      row.expires_at,
    )
    return answer
  })
}

/** What was answered to this call before, or undefined if it is new. Throws if the token stands for another call. */
export async function findAnswer<Answer>(read: Reader, call: TokenedCall): Promise<Answer | undefined> {
  const row = await read.get<TokenRow>(
    'SELECT * FROM idempotency_token WHERE scope = $1 AND operation = $2 AND caller = $3 AND token = $4',
    call.scope,
    call.operation,
    call.caller,
    call.token,
  )
  if (!row) return undefined
  requireSame(row.parameters_hash, call)
  return JSON.parse(row.answer_json) as Answer
}

export function tokenRow(call: TokenedCall, answer: object, now: number): TokenRow {
  const { scope, operation, caller, token } = call
  const hash = parametersHash(call.parameters)
  const answerJson = JSON.stringify(answer)
  return {
    scope,
    operation,
    caller,
    token,
    parameters_hash: hash,
    answer_json: answerJson,
    expires_at: now + rememberedMs,
  }
}

export function requireSame(hash: string, { parameters }: Pick<TokenedCall, 'parameters'>): void {
  if (hash !== parametersHash(parameters)) {
    throw conflict('This ClientRequestToken was used before with other parameters')
  }
}

export function parametersHash(parameters: object): string {
  const { ClientRequestToken: _, ...counted } = parameters as { ClientRequestToken?: string }
  return createHash('sha256').update(JSON.stringify(counted, sortedMembers)).digest('base64url')
}

/** The order in which a client writes the members of an object does not matter. */
function sortedMembers(_key: string, value: unknown): unknown {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Forgets the tokens whose time is over. Answers how many. */
export function forgetOldTokens(store: Store, now: number): Promise<number> {
  return store.transaction((transaction) =>
    transaction.run(
      `DELETE FROM idempotency_token WHERE (scope, operation, caller, token) IN (
         SELECT scope, operation, caller, token FROM idempotency_token WHERE expires_at <= $1 LIMIT $2)`,
      now,
      sweptMax,
    ),
  )
}
