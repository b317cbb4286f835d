import { forgetTokens } from './forget-tokens.ts'
import type { Kind } from './kind.ts'
import { purgeChannel } from './purge-channel.ts'
import { removeAppInstance } from './remove-app-instance.ts'
import { removeUser } from './remove-user.ts'
import type { DeletedUser } from './sessions.ts'

/** Every kind of background work. `closeSessions` closes the sessions of a deleted user on every node. */
export const createKinds = (closeSessions: (user: DeletedUser) => void): readonly Kind[] => [
  purgeChannel,
  removeUser(closeSessions),
  removeAppInstance(closeSessions),
  forgetTokens,
]
