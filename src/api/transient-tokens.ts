import type { TransientMessage, TransientTokens } from './context.ts'

/** Ten minutes and this many tokens: it is a help against an SDK's quick retries, not a promise. */
const rememberedMs = 600_000
const tokensMax = 100_000

/** For messages that leave no row, so that nothing durable could remember their token. */
export function createTransientTokens(now: () => number): TransientTokens {
  const messages = new Map<string, { message: TransientMessage; expiresAt: number }>()
  const forget = () => {
    // A Map keeps the order of insertion, so the oldest come first.
    for (const [key, { expiresAt }] of messages) {
      if (expiresAt > now() && messages.size < tokensMax) break
      messages.delete(key)
    }
  }
  return {
    get: (key) => {
      const known = messages.get(key)
      return known && known.expiresAt > now() ? known.message : undefined
    },
    set: (key, message) => {
      forget()
      messages.set(key, { message, expiresAt: now() + rememberedMs })
    },
  }
}
