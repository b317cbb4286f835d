import { hash } from 'node:crypto'
import { conflict } from '../contract/api-error.ts'
import type { OperationFacts } from '../contract/operation.ts'
import type { Reader, Transaction } from '../store/store.ts'
import type { TokenRow } from '../store/tables.ts'
import type { Context } from './context.ts'

/** How long a ClientRequestToken is remembered, at least. */
const rememberedMs = 24 * 3_600_000

/** A call with a ClientRequestToken. */
export interface TokenedCall {
  /** The same for calls of one operation with the same token by the same caller about the same thing. */
  key: string
  /** The input; its ClientRequestToken does not count. */
  parameters: object
}

/** Besides them the member that the operation's tokenScope names. */
interface TokenedInput {
  ClientRequestToken?: string
  ChimeBearer?: string
}

/** Who calls which operation. */
type Caller = Pick<Context, 'operation' | 'credentials'>

/**
 * Undefined where the caller gave no token. `scope` names the resource within which the token is unique: a channel by its
 * number, so that a channel which is created again knows no tokens of the former one. An operation without a bearer is
 * called by an access key.
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
 * Does the work, in one transaction, unless the call was answered before: then it answers the same again. The same token
 * with other parameters is a Conflict.
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

/** What was answered to this call before, or undefined if it is new. Throws if the token stands for another call. */
export async function findAnswer<Answer>(read: Reader, call: TokenedCall): Promise<Answer | undefined> {
  const row = await read.get<TokenRow>('SELECT * FROM idempotency_token WHERE token_key = $1', call.key)
  if (!row) return undefined
  requireSame(row.parameters_hash, call)
  return JSON.parse(row.answer_json) as Answer
}

/** What makes the store remember the answer. */
export const tokenRow = ({ key, parameters }: TokenedCall, answer: object, now: number): TokenRow => ({
  token_key: key,
  parameters_hash: parametersHash(parameters),
  answer_json: JSON.stringify(answer),
  expires_at: now + rememberedMs,
})

/** Throws a Conflict unless the call's parameters are those that were hashed. */
export function requireSame(earlier: string, { parameters }: Pick<TokenedCall, 'parameters'>): void {
  if (earlier !== parametersHash(parameters)) {
    throw conflict('This ClientRequestToken was used before with other parameters')
  }
}

/** Two calls with the same hash have the same parameters; their ClientRequestToken does not count. */
export function parametersHash(parameters: object): string {
  const { ClientRequestToken: _, ...counted } = parameters as { ClientRequestToken?: string }
  return hashOf(counted)
}

const hashOf = (value: object): string => hash('sha256', JSON.stringify(sorted(value)), 'base64url')

/** The order in which a client writes the members of an object does not matter. */
function sorted(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(sorted)
  const names = Object.keys(value).sort()
  return Object.fromEntries(names.map((name) => [name, sorted((value as Record<string, unknown>)[name])]))
}

/** Deletes tokens whose time is over. Returns how many. */
export const forgetOldTokens = (transaction: Transaction, now: number, tokensMax: number): Promise<number> =>
  transaction.run(
    `DELETE FROM idempotency_token WHERE token_key IN (
       SELECT token_key FROM idempotency_token WHERE expires_at <= $1 LIMIT $2)`,
    now,
    tokensMax,
  )
