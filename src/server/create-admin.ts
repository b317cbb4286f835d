import { AdminServer } from '../admin/admin-server.ts'
import { type Checks, Readiness } from '../admin/readiness.ts'
import type { Config } from '../config.ts'
import { localUrl } from '../runtime/listening.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { World } from './world.ts'

/** Undefined unless the admin port is set. */
export function createAdmin({ adminPort }: Config, metrics: Metrics, world: World, checks: Checks) {
  if (adminPort === undefined) return undefined
  metrics.measureProcess()
  return new AdminServer({ readiness: new Readiness(checks, world.clock), metrics, log: world.log })
}

export async function listenAdmin(admin: AdminServer | undefined, { adminHost, adminPort = 0 }: Config) {
  return admin && localUrl('http', adminHost, await admin.listen(adminHost, adminPort))
}
