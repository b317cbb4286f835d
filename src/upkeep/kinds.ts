import { attachFlow } from './attach-flow.ts'
import { expireChannel } from './expire-channel.ts'
import { expireUser } from './expire-user.ts'
import { forgetAudit } from './forget-audit.ts'
import { forgetTokens } from './forget-tokens.ts'
import type { Kind } from './kind.ts'
import { purgeChannel } from './purge-channel.ts'
import { removeAppInstance } from './remove-app-instance.ts'
import { removeUser } from './remove-user.ts'
import { retention } from './retention.ts'
import { trim } from './trim.ts'

/** Every kind of background work. `announceChange` makes all nodes close the sessions of a deleted user. */
export const createKinds = (announceChange: (userArn: string) => void): readonly Kind[] => [
  purgeChannel,
  expireChannel,
  removeUser(announceChange),
  expireUser,
  removeAppInstance(announceChange),
  retention,
  trim,
  forgetTokens,
  forgetAudit,
  attachFlow,
]
