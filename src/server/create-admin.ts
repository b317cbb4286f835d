import { AdminServer } from '../admin/admin-server.ts'
import { createHostCheck, hostNameOf } from '../admin/host-names.ts'
import type { Readiness } from '../admin/readiness.ts'
import { adminHasTls, type Config } from '../config.ts'
import type { ConsoleSite } from '../console/console-site.ts'
import { isEverywhere, isLoopback, localUrl } from '../runtime/listening.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { World } from './world.ts'

interface Surroundings {
  metrics: Metrics
  readiness: Readiness
  site: ConsoleSite
}

/** Undefined if the admin port is off. */
export function createAdmin(config: Config, world: World, { metrics, readiness, site }: Surroundings) {
  if (config.adminPort === undefined) return undefined
  metrics.measureProcess()
  return new AdminServer({
    readiness,
    metrics,
    log: world.log,
    isKnownHost: createHostCheck(namesOf(config)),
    site,
    tls: adminHasTls(config),
  })
}

const namesOf = ({ adminHost, adminNames, tlsNames, publicHost = '' }: Config) => [
  adminHost,
  hostNameOf(publicHost) ?? '',
  ...adminNames,
  ...tlsNames,
]

/** The host names that the issued certificate has for the admin port. */
export const certifiedNamesOf = ({ tlsNames, adminNames, adminHost }: Config): string[] => [
  ...tlsNames,
  ...adminNames,
  ...(isEverywhere(adminHost) ? [] : [adminHost]),
]

/** The addresses of the admin port once it listens, as the endpoint file has them. */
export async function listenAdmin(admin: AdminServer | undefined, config: Config) {
  if (!admin) return { admin: undefined, console: undefined }
  const { adminHost } = config
  const url = localUrl(adminHasTls(config) ? 'https' : 'http', adminHost, await listenAt(admin, config))
  return { admin: url, console: isLoopback(adminHost) ? url : undefined }
}

/** If the preset port is taken, as by another server of this machine, a free one is as good. */
async function listenAt(admin: AdminServer, { adminHost, adminPort = 0, isAdminPortGiven }: Config): Promise<number> {
  try {
    return await admin.listen(adminHost, adminPort)
  } catch (error) {
    if (isAdminPortGiven || (error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error
    return admin.listen(adminHost, 0)
  }
}
