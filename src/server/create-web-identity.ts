import type { IdentityVerifier } from '../keys/identity.ts'
import type { WebIdentitySettings } from '../keys/web-identity.ts'
import type { World } from './world.ts'

/** Loaded on demand: it takes a tenth of a second, and only servers with an identity provider need it. */
export async function createWebIdentity(settings: WebIdentitySettings, world: World): Promise<IdentityVerifier> {
  const { WebIdentity } = await import('../keys/web-identity.ts')
  return new WebIdentity(settings, world)
}
