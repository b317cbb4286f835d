import { hash } from 'node:crypto'
import { conflict } from '../contract/api-error.ts'
import type { OperationFacts } from '../contract/operation.ts'
import type { Reader, Transaction } from '../store/store.ts'
import type { TokenRow } from '../store/tables.ts'
import type { Context } from './context.ts'

/** The minimum time for which an idempotency key is stored. */
const rememberedMs = 24 * 3_600_000

/** A call with a ClientRequestToken. */
export interface TokenedCall {
  /** The idempotency key: a hash of the operation, the token, the caller and the scope. */
  key: string
  /** The input, including the ClientRequestToken, which is not compared. */
  parameters: object
}

/** Further, the member that the operation's tokenScope names. */
interface TokenedInput {
  ClientRequestToken?: string
  ChimeBearer?: string
}

/** The operation and the caller. */
type Caller = Pick<Context, 'operation' | 'credentials'>

/**
 * Undefined if the call has no token. `scope` names the resource within which the token is unique: a channel by its number,
 * so that a channel that is created again has no tokens of its previous incarnation. The caller of an operation without a
 * bearer is the access key.
 */
export function tokenedCall(
  input: TokenedInput,
  { operation, credentials }: Caller,
  scope = scopeOf(operation, input),
): TokenedCall | undefined {
  const { ClientRequestToken: token, ChimeBearer } = input
  if (token === undefined) return undefined
  const caller = ChimeBearer ?? credentials.accessKeyId
  return { key: hashOf([operation.name, scope, caller, token]), parameters: input }
}

function scopeOf({ tokenScope }: OperationFacts, input: object): string {
  return tokenScope === undefined || tokenScope === 'caller'
    ? ''
    : String((input as Record<string, unknown>)[tokenScope])
}

/**
 * Does the work in one transaction. If the call is a repetition, it returns the stored response instead. The same token with
 * other parameters is a Conflict.
 */
export async function once<Answer extends object>(
  input: TokenedInput,
  context: Caller & Pick<Context, 'store' | 'now'>,
  work: (transaction: Transaction, now: number) => Promise<Answer>,
): Promise<Answer> {
  const call = tokenedCall(input, context)
  return context.store.transaction(async (transaction) => {
    const now = context.now()
    if (!call) return work(transaction, now)
    const known = await findAnswer<Answer>(transaction, call)
    if (known) return known
    const answer = await work(transaction, now)
    await transaction.insert('idempotency_token', tokenRow(call, answer, now))
    return answer
  })
}

/** The stored response to this call; undefined if it is new. Throws if the token belongs to another call. */
export async function findAnswer<Answer>(read: Reader, call: TokenedCall): Promise<Answer | undefined> {
  const row = await read.get<TokenRow>('SELECT * FROM idempotency_token WHERE token_key = $1', call.key)
  if (!row) return undefined
  requireSame(row.parameters_hash, call)
  return JSON.parse(row.answer_json) as Answer
}

/** The row that stores the response. */
export const tokenRow = ({ key, parameters }: TokenedCall, answer: object, now: number): TokenRow => ({
  token_key: key,
  parameters_hash: parametersHash(parameters),
  answer_json: JSON.stringify(answer),
  expires_at: now + rememberedMs,
})

/** Throws a Conflict unless the call's parameters have this hash. */
export function requireSame(earlier: string, { parameters }: Pick<TokenedCall, 'parameters'>): void {
  if (earlier !== parametersHash(parameters)) {
    throw conflict('This ClientRequestToken was used before with other parameters')
  }
}

/** A hash of the parameters without the ClientRequestToken. */
export function parametersHash(parameters: object): string {
  const { ClientRequestToken: _, ...counted } = parameters as { ClientRequestToken?: string }
  return hashOf(counted)
}

const hashOf = (value: object): string => hash('sha256', JSON.stringify(sorted(value)), 'base64url')

/** Sorts the members of objects: their order does not matter. */
function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(sorted)
  const names = Object.keys(value).sort()
  return Object.fromEntries(names.map((name) => [name, sorted((value as Record<string, unknown>)[name])]))
}

/** Deletes expired tokens. Returns their number. */
export const forgetOldTokens = (transaction: Transaction, now: number, tokensMax: number): Promise<number> =>
  transaction.run(
    `DELETE FROM idempotency_token WHERE token_key IN (
       SELECT token_key FROM idempotency_token WHERE expires_at <= $1 LIMIT $2)`,
    now,
    tokensMax,
  )
