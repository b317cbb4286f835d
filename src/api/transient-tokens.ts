import { parametersHash, requireSame, type TokenedCall } from './idempotency.ts'

/** Ten minutes and this many tokens: it is a help against an SDK's quick retries, not a promise. */
const rememberedMs = 600_000
const tokensMax = 100_000

/** What a ClientRequestToken remembers of a message. A repeated send is answered with the status that it has by then. */
export interface AcceptedMessage {
  messageId: string
  revision: number
}

/** Remembers, in memory and for a while, which messages were sent that leave no row to remember them by. */
export interface TransientTokens {
  /** The message that this call sent before. Throws a Conflict if the token stands for another call. */
  find(call: TokenedCall): AcceptedMessage | undefined
  /** Remembers the message, unless the call has sent one before: then it answers that one, as `find` does. */
  remember(call: TokenedCall, message: AcceptedMessage): AcceptedMessage | undefined
}

export function createTransientTokens(now: () => number): TransientTokens {
  const messages = new Map<string, { message: AcceptedMessage; hash: string; expiresAt: number }>()
  const forget = () => {
    // A Map keeps the order of insertion, so the oldest come first.
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
