import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import type { Config } from '../config.ts'
import { authenticateWith } from '../console/authenticate.ts'
import { ConsoleSite } from '../console/console-site.ts'
import { Pages } from '../console/pages.ts'
import { ConsoleSessions } from '../console/sessions.ts'
import { notFound } from '../contract/api-error.ts'
import type { FindKey } from '../keys/key.ts'
import { isLoopback } from '../runtime/listening.ts'
import type { SessionEndpoint } from '../session/endpoint.ts'
import { refuseUpgrade } from '../session/refuse-upgrade.ts'
import type { Verified } from '../signature/rejection.ts'
import type { SignedRequest } from '../signature/verify-request.ts'
import type { ServerRecord } from './open-record.ts'
import type { World } from './world.ts'

type Verify = (request: SignedRequest) => Promise<Verified>

interface Surroundings {
  findKey: FindKey
  sessions: SessionEndpoint
  /** Creates the listener of the operations. */
  api(authenticate: (verify: Verify) => Verify): RequestListener
}

/** The root of the clone or the package, with `console/` or the built pages. */
const root = join(import.meta.dirname, '..', '..')

/** Creates the console, which the admin port serves. */
export function createConsole(
  config: Config,
  { clock, log }: World,
  { store, keys }: ServerRecord,
  { findKey, sessions: messagingSessions, api }: Surroundings,
) {
  const sessions = new ConsoleSessions({
    store,
    findKey,
    rootKeyId: keys.root.accessKeyId,
    acceptsLinks: isLoopback(config.adminHost),
    now: () => clock.now(),
  })
  const pages = new Pages({ root, log })
  const site = new ConsoleSite({
    sessions,
    pages,
    api: api((verify) => authenticateWith(sessions, verify)),
    live: (_request, stream) => refuseUpgrade(stream, notFound('not yet')),
    connect: (request, stream, head) => messagingSessions.upgrade(request, stream, head),
    clock,
    log,
  })
  return { site, pages }
}
