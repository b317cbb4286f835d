import type { RequestListener } from 'node:http'
import { join } from 'node:path'
import { listProcessors, type StatesOf, withoutOutput } from '../api/processors/list-processors.ts'
import type { Config } from '../config.ts'
import { authenticateWith } from '../console/authenticate.ts'
import { ConsoleSite } from '../console/console-site.ts'
import { Live } from '../console/live.ts'
import { readFacts } from '../console/live-facts.ts'
import { Pages } from '../console/pages.ts'
import { ConsoleSessions } from '../console/sessions.ts'
import type { PausedFunctions } from '../flow/paused-functions.ts'
import type { FindKey } from '../keys/key.ts'
import type { FunctionRecords } from '../processor/function-records.ts'
import { isLoopback } from '../runtime/listening.ts'
import type { SessionEndpoint } from '../session/endpoint.ts'
import type { Verify } from './create-api.ts'
import type { ServerRecord } from './open-record.ts'
import type { World } from './world.ts'

interface Surroundings {
  findKey: FindKey
  sessions: SessionEndpoint
  /** What this node knows of processors. */
  processors: StatesOf
  paused: PausedFunctions
  records: FunctionRecords
  /** Creates the listener of the operations. */
  api(authenticate: (verify: Verify) => Verify): RequestListener
}

/** The root of the clone or the package, with `console/` or the built pages. */
const root = join(import.meta.dirname, '..', '..')

/** Creates the console, which the admin port serves. */
export function createConsole(
  config: Config,
  { clock, log, pagesRoot = root }: World,
  record: ServerRecord,
  { findKey, sessions: messagingSessions, api, ...shown }: Surroundings,
) {
  const { store, keys } = record
  const sessions = new ConsoleSessions({
    store,
    findKey,
    rootKeyId: keys.root.accessKeyId,
    acceptsLinks: isLoopback(config.adminHost),
    now: () => clock.now(),
  })
  const pages = new Pages({ root: pagesRoot, log })
  const live = createLive({ clock, log }, record, { sessions, ...shown })
  const site = new ConsoleSite({
    sessions,
    pages,
    api: api((verify) => authenticateWith(sessions, verify)),
    live: (request, stream, head) => live.upgrade(request, stream, head),
    connect: (request, stream, head) => messagingSessions.upgrade(request, stream, head),
    clock,
    log,
  })
  const close = async () => {
    pages.close()
    await live.close()
  }
  return { site, pages, close }
}

function createLive(
  { clock, log }: Pick<World, 'clock' | 'log'>,
  { store, cluster }: ServerRecord,
  {
    sessions,
    processors,
    paused,
    records,
  }: Pick<Surroundings, 'processors' | 'paused' | 'records'> & { sessions: ConsoleSessions },
): Live {
  const { read } = store
  const listed = async (seesOutput: boolean) => {
    const all = await listProcessors(read, processors, clock.now())
    // The lines are in the frame beside this.
    return all.map((one) => ({ ...(seesOutput ? one : withoutOutput(one)), LastOutput: undefined }))
  }
  const live = new Live({
    sessions,
    facts: (scope) => readFacts(scope, { read, processors: listed, clock }),
    isShared: cluster !== undefined,
    clock,
    log,
  })
  store.onCommit((commit) => live.committed(commit))
  paused.onChange(() => live.changed())
  records.onChange({ changed: () => live.changed(), printed: (name, line) => live.printed(name, line) })
  return live
}
