import type { Config } from '../config.ts'
import type { IdentityVerifier } from '../keys/identity.ts'
import type { FindKey } from '../keys/key.ts'
import { verifyRequest } from '../signature/verify-request.ts'
import { StoreUnavailable } from '../store/store.ts'
import { createSts } from '../sts/sts.ts'
import { UnsignedCalls } from '../sts/unsigned-calls.ts'
import type { Life } from './life.ts'
import type { ServerRecord } from './open-record.ts'
import { signedFor } from './signed-for.ts'
import type { World } from './world.ts'

/** Creates what serves AWS's Security Token Service. */
export function createStsFor(
  config: Config,
  world: World,
  { store, location, keys }: ServerRecord,
  { life, findKey, webIdentity }: { life: Life; findKey: FindKey; webIdentity: IdentityVerifier | undefined },
) {
  const { now } = world.clock
  return createSts({
    read: store.read,
    transaction: (work, isolation) => store.transaction(work, isolation),
    secrets: keys.secrets,
    account: location.account,
    rootKeyId: keys.root.accessKeyId,
    roles: config.stsRoles,
    webIdentity,
    unsignedCalls: new UnsignedCalls(world),
    keySeconds: world.keySeconds,
    now,
    authenticate: (request) => verifyRequest(request, findKey, { ...signedFor(config), service: 'sts' }, now()),
    isReady: () => life.phase === 'ready',
    isUnavailable: (error) => error instanceof StoreUnavailable,
  })
}
