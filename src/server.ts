import { join, resolve } from 'node:path'
import { Readiness } from './admin/readiness.ts'
import type { Config } from './config.ts'
import { createLink, linkTo } from './console/links.ts'
import { readPending } from './flow/pending.ts'
import { Listeners } from './http/listeners.ts'
import { createFindKey } from './keys/find-key.ts'
import type { Credentials } from './keys/key.ts'
import { systemElapsedMs } from './runtime/clock.ts'
import { warnOfClockSteps } from './runtime/clock-steps.ts'
import { processDescriptors } from './runtime/descriptors.ts'
import { type AwsFiles, type Endpoint, removeEndpointFile, writeEndpointFiles } from './runtime/endpoint-files.ts'
import { inTime } from './runtime/in-time.ts'
import { Metrics } from './runtime/metrics.ts'
import { Shortages } from './runtime/shortage.ts'
import { checksOf } from './server/checks.ts'
import { certifiedNamesOf, createAdmin, listenAdmin } from './server/create-admin.ts'
import { createApi } from './server/create-api.ts'
import { createConsole } from './server/create-console.ts'
import { createCreds } from './server/create-creds.ts'
import { createFlow } from './server/create-flow.ts'
import { createMachine } from './server/create-machine.ts'
import { createSessions } from './server/create-sessions.ts'
import { createWebIdentity } from './server/create-web-identity.ts'
import { Life } from './server/life.ts'
import { joinCluster, openRecord } from './server/open-record.ts'
import type { World } from './server/world.ts'
import type { Store } from './store/store.ts'
import { readDueWork } from './store/work.ts'
import { authorityFile, followCertificate } from './tls/follow-certificate.ts'
import type { CertifiedKey } from './tls/issue-certificate.ts'
import { createKinds } from './upkeep/kinds.ts'
import { Upkeep } from './upkeep/upkeep.ts'

/** A stop waits so long for a database that does not respond: everything together must end within 5 s. */
const storeMsMax = 3_000
/** A scrape waits so long for the store to count pending messages and due work. */
const pendingMsMax = 5_000

export interface RunningServer {
  endpoint: Endpoint
  credentials: Credentials
  /** The paths of the files that AWS SDKs and the AWS CLI read. */
  files: AwsFiles
  /** The functions folder. */
  functions: string
  /** Builds the console in the background if that is necessary. Otherwise the first request of a page does so. */
  prepareConsole(): void
  /** A new link that signs in to the console once, if this server may be reached by one. */
  consoleLink(): Promise<string | undefined>
  /**
   * Resolves when the server cannot continue, and must be closed: it accepts no calls and acknowledges nothing any
   * more.
   */
  failed: Promise<Error>
  /** Accepts no new work, closes the sessions, finishes the work in flight. */
  close(): Promise<void>
}

/** Starts a server. If the start fails, it leaves nothing behind. */
export async function startServer(config: Config, world: World): Promise<RunningServer> {
  const stack = new AsyncDisposableStack()
  try {
    const life = new Life()
    const server = await build(config, world, life, stack)
    const { endpoint, files } = await startServing(server, config, world, life, stack)
    const { abandon, keys } = server.record
    const running = stack.move()
    const close = async () => {
      const cancel = world.clock.at(world.clock.now() + storeMsMax, abandon)
      await running.disposeAsync().finally(cancel)
    }
    return {
      endpoint,
      credentials: keys.root,
      files,
      functions: resolve(config.functions),
      prepareConsole: () => void server.pages.prepare(),
      consoleLink: () => newLink(server.record.store, endpoint, world.clock.now()),
      failed: life.failed,
      close,
    }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

async function newLink(store: Store, { console: url }: Endpoint, now: number): Promise<string | undefined> {
  return url && linkTo(url, await store.transaction((transaction) => createLink(transaction, now)))
}

type BuiltServer = Awaited<ReturnType<typeof build>>

/** Connects the parts. The last entry on the stack stops first. */
async function build(config: Config, world: World, life: Life, stack: AsyncDisposableStack) {
  const { clock, log } = world
  const metrics = new Metrics()
  const record = await openRecord(config, world, { life, metrics }, stack)
  const { store, bus } = record
  const shortages = new Shortages({ clock, log, count: (kind) => metrics.countShortage(kind) })
  const descriptors = processDescriptors()

  const listeners = new Listeners(config, { ...world, descriptors, metrics, shortages })
  const { connections } = listeners
  const functionsUrl = () => listeners.functionsUrl
  const flow = await createFlow(config, world, record, { metrics, shortages, functionsUrl }, stack)
  const { functions, paused, engine, processors } = flow
  const sessionHost = () => listeners.sessionHost
  const { root, secrets } = record.keys
  const actAsOf = (functionName: string) => functions.actAsOf(functionName)
  const findKey = createFindKey({ read: store.read, root, secrets, actAsOf, now: () => clock.now() })
  const webIdentity = config.oidc && (await createWebIdentity(config.oidc, world))
  const { hub, sessions } = createSessions(config, world, record, { metrics, connections, findKey })
  const logLag = () => hub.lag
  const folder = record.folder.path
  const readiness = new Readiness(
    checksOf({
      clock,
      store,
      shortages,
      descriptors,
      bus,
      folder,
      storesInFolder: record.storesInFolder,
      phase: () => life.phase,
      logLag,
      functionsReady: () => functions.folderReady(),
    }),
    clock,
  )
  const machine = createMachine(config, { readiness, functions, descriptors, folder })
  const around = { life, metrics, engine, connections, sessionHost, processors, findKey, webIdentity, machine }
  const api = createApi(config, world, record, around)
  const creds = createCreds(config, world, record, { life, metrics, functions, webIdentity })
  listeners.serve(creds ? creds.listener.before(api.listener) : api.listener)
  for (const server of listeners.all) sessions.attach(server)

  const console = createConsole(config, world, record, { findKey, sessions, api: api.adminListener, ...flow })
  const admin = createAdmin(config, world, { metrics, readiness, site: console.site })
  metrics.readFrom({
    sessions: () => ({ ...sessions.size, deliveries: sessions.deliveries }),
    logLag,
    isBusConnected: () => bus.connected,
    steps: () => engine.counts,
    connections: () => connections.counts,
    sendsQueued: () => api.admission.queued,
    pending: () => inTime(clock, 'the pending messages', pendingMsMax, readPending(store.read, clock.now())),
    work: () => inTime(clock, 'the background work', pendingMsMax, readDueWork(store.read, clock.now())),
  })

  const upkeep = new Upkeep({
    elapsedMs: systemElapsedMs,
    ...world,
    store,
    node: record.node,
    kinds: createKinds((userArn) => bus.announceChange(userArn)),
  })
  stack.defer(() => upkeep.close())
  stack.defer(() => listeners.close())
  // Before the listeners wait for their requests.
  stack.defer(() => api.admission.close())
  if (admin) stack.defer(() => admin.close())
  stack.defer(() => console.close())
  if (creds) stack.defer(() => creds.close())
  // Before the listeners stop, so that running functions can still call back.
  stack.defer(() => engine.close())
  stack.defer(() => sessions.close())
  return { record, listeners, functions, paused, engine, sessions, upkeep, admin, pages: console.pages }
}

/** Opens the ports: from now on clients and functions can call. */
async function startServing(
  { record, listeners, functions, paused, engine, sessions, upkeep, admin }: BuiltServer,
  config: Config,
  world: World,
  life: Life,
  stack: AsyncDisposableStack,
) {
  const { clock, log } = world
  const { folder, keys } = record
  if (config.tls) {
    const surroundings = { folder, authority: keys.authority, clock, log }
    const use = (pair: CertifiedKey) => {
      listeners.useCertificate(pair)
      admin?.useCertificate(pair)
    }
    const settings = { ...config, tlsNames: certifiedNamesOf(config) }
    stack.defer(await followCertificate(settings, surroundings, use))
  }
  const endpoint: Endpoint = {
    ...(await listeners.listen()),
    ...(await listenAdmin(admin, config)),
    ...record.location,
    ca: config.tls && !config.tlsFiles ? join(folder.path, authorityFile) : undefined,
  }
  await joinCluster(record, config, engine)
  // Before that, functions have no places.
  await functions.opened
  // Before the engine starts: functions call back.
  life.begin()
  await paused.start()
  await engine.start()
  upkeep.start()
  sessions.start()
  // The piece in progress may wait for a store that does not respond: the others stop meanwhile.
  stack.defer(() => upkeep.stop())
  // After a node of a cluster has set its clock to the database's time.
  stack.defer(warnOfClockSteps({ elapsedMs: systemElapsedMs, ...world }))
  const files = writeEndpointFiles(folder, endpoint, keys.root)
  stack.defer(() => {
    life.end()
    removeEndpointFile(folder)
  })
  return { endpoint, files }
}
