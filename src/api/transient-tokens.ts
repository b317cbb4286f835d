import { parametersHash, requireSame, type TokenedCall } from './idempotency.ts'

/** Maximum of tokens, for ten minutes each: best effort, against an SDK's quick retries. */
const rememberedMs = 600_000
const tokensMax = 100_000

/** The message of a ClientRequestToken. The response to a repeated send has the message's current status. */
export interface AcceptedMessage {
  messageId: string
  revision: number
}

/** The idempotency keys of messages without a row, in memory and for a limited time. */
export interface TransientTokens {
  /** The message that this call sent before. Throws a Conflict if the token belongs to another call. */
  find(call: TokenedCall): AcceptedMessage | undefined
  /** Stores the message; if the call has sent one before, returns that one, like `find`. */
  remember(call: TokenedCall, message: AcceptedMessage): AcceptedMessage | undefined
}

export function createTransientTokens(now: () => number): TransientTokens {
  const messages = new Map<string, { message: AcceptedMessage; hash: string; expiresAt: number }>()
  const forget = () => {
    // A Map has insertion order, so the oldest are first.
    for (const [key, { expiresAt }] of messages) {
      if (expiresAt > now() && messages.size < tokensMax) break
      messages.delete(key)
    }
  }
  const find = (call: TokenedCall) => {
    const known = messages.get(call.key)
    if (!known || known.expiresAt <= now()) return undefined
    requireSame(known.hash, call)
    return known.message
  }
  const remember = (call: TokenedCall, message: AcceptedMessage) => {
    const known = find(call)
    if (known) return known
    forget()
    messages.set(call.key, { message, hash: parametersHash(call.parameters), expiresAt: now() + rememberedMs })
    return undefined
  }
  return { find, remember }
}
