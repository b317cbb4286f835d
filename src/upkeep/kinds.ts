import { expireChannel } from './expire-channel.ts'
import { expireUser } from './expire-user.ts'
import { forgetTokens } from './forget-tokens.ts'
import type { Kind } from './kind.ts'
import { purgeChannel } from './purge-channel.ts'
import { removeAppInstance } from './remove-app-instance.ts'
import { removeUser } from './remove-user.ts'
import { retention } from './retention.ts'
import type { DeletedUser } from './sessions.ts'
import { trim } from './trim.ts'

/** Every kind of background work. `closeSessions` closes the sessions of a deleted user on every node. */
export const createKinds = (closeSessions: (user: DeletedUser) => void): readonly Kind[] => [
  purgeChannel,
  expireChannel,
  removeUser(closeSessions),
  expireUser,
  removeAppInstance(closeSessions),
  retention,
  trim,
  forgetTokens,
]
