import { forgetTokens } from './forget-tokens.ts'
import type { Kind } from './kind.ts'
import { purgeChannel } from './purge-channel.ts'

/** Every kind of background work. */
export const kinds: readonly Kind[] = [purgeChannel, forgetTokens]
