import { join, resolve } from 'node:path'
import { AdminServer } from './admin/admin-server.ts'
import { type Checks, Readiness } from './admin/readiness.ts'
import { findUser } from './api/app-instance-users/app-instance-user.ts'
import type { ApiParts } from './api/context.ts'
import { eventKinds } from './api/events/index.ts'
import { createGate, type Phase } from './api/gate.ts'
import { forgetOldTokens } from './api/idempotency.ts'
import { operations } from './api/index.ts'
import { channelDetails } from './api/messaging-sessions/channel-details.ts'
import { SendAdmission } from './api/send-admission.ts'
import { createTransientTokens } from './api/transient-tokens.ts'
import type { Bus } from './bus/bus.ts'
import { memoryBus } from './bus/memory.ts'
import { checksOf } from './checks.ts'
import { ClusterNode } from './cluster/node.ts'
import type { Config } from './config.ts'
import { ApiError } from './contract/api-error.ts'
import { refuseOverwritten, warnOfNetwork, watchDataFiles } from './data-files.ts'
import { publishTo } from './events/publisher.ts'
import { StoredChannelLog } from './events/stored-channel-log.ts'
import type { OwnNode } from './flow/decision.ts'
import { FlowEngine } from './flow/engine.ts'
import { readPending } from './flow/pending.ts'
import { reportRuns } from './flow/run-report.ts'
import { Listeners } from './http/listeners.ts'
import { createListener } from './http/serve.ts'
import { welcomePage } from './http/welcome-page.ts'
import { findAccessKey } from './keys/access-keys.ts'
import { type Keys, keepKeys, pinPlace } from './keys/kept-keys.ts'
import { openStore, storeFile } from './open-store.ts'
import { folderThenLambda } from './processor/folder-then-lambda.ts'
import type { FunctionEnvironment } from './processor/function-environment.ts'
import { createFunctionTarget, type FunctionTarget } from './processor/function-target.ts'
import { FunctionsMark } from './processor/functions-mark.ts'
import { findFunctionsUser } from './processor/functions-user.ts'
import { measured } from './processor/measured-target.ts'
import { type Cancel, type Clock, every, FollowingClock, systemClock, systemElapsedMs } from './runtime/clock.ts'
import { warnOfClockSteps } from './runtime/clock-steps.ts'
import { openDataFolder } from './runtime/data-folder.ts'
import { processDescriptors } from './runtime/descriptors.ts'
import { type AwsFiles, type Endpoint, removeEndpointFile, writeEndpointFiles } from './runtime/endpoint-files.ts'
import { inTime } from './runtime/in-time.ts'
import { localUrl } from './runtime/listening.ts'
import type { Log } from './runtime/log.ts'
import { Metrics } from './runtime/metrics.ts'
import { Shortages } from './runtime/shortage.ts'
import { SessionEndpoint } from './session/endpoint.ts'
import { Hub } from './session/hub.ts'
import type { Session } from './session/session.ts'
import type { Credentials } from './signature/credentials.ts'
import { verifyConnect } from './signature/verify-connect.ts'
import { verifyRequest } from './signature/verify-request.ts'
import { soleOwner } from './store/steps.ts'
import { type Store, StoreUnavailable } from './store/store.ts'
import { authorityFile, followCertificate } from './tls/follow-certificate.ts'

/** How long a stop waits for a database that does not answer: the rest must end within 5 s together with it. */
const storeMsMax = 3_000
/** How often the tokens of yesterday's calls are forgotten. */
const forgetEveryMs = 3_600_000

/** How long a scrape waits for the store to count what is pending. */
const pendingMsMax = 5_000

/** What all parts work with. */
type Parts = ApiParts & { metrics: Metrics }

/** What a server takes from the world around it. */
export interface World {
  clock: Clock
  log: Log
  newId(): string
  random(): number
  /** Elapsed time that nobody sets, in milliseconds. The process's own if left out. */
  elapsedMs?(): number
  /** For tests: an answer that breaks its own contract is a 500. */
  strict?: boolean
  /** For tests: stands between the server and its store. */
  aroundStore?(store: Store): Store
}

export interface RunningServer {
  endpoint: Endpoint
  credentials: Credentials
  /** The paths of the files that AWS SDKs and the AWS CLI read. */
  files: AwsFiles
  /** The folder in which functions are looked for. */
  functions: string
  /** Resolves when the server cannot go on, and must be closed: it takes no calls and acknowledges nothing any more. */
  failed: Promise<Error>
  /** Takes nothing new, tells the sessions, finishes what is in hand. */
  close(): Promise<void>
}

/** Starts a server. Nothing of it is left when it fails half-way. */
export async function startServer(config: Config, world: World): Promise<RunningServer> {
  const stack = new AsyncDisposableStack()
  try {
    const { store, ...server } = await build(config, world, stack)
    const running = stack.move()
    const close = async () => {
      const cancel = world.clock.at(world.clock.now() + storeMsMax, () => store.abandon?.())
      await running.disposeAsync().finally(cancel)
    }
    return { ...server, close }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

/** The one place where the parts meet. What is put on the stack last stops first. */
async function build(config: Config, world: World, stack: AsyncDisposableStack) {
  const { clock, log } = world
  const folder = openDataFolder(config.dataDir)
  stack.defer(() => folder.close())
  removeEndpointFile(folder)
  refuseOverwritten(folder)
  warnOfNetwork(folder, log)

  let phase: Phase = 'starting'
  const failure = Promise.withResolvers<Error>()
  const broken = (error: Error) => {
    phase = 'stopping'
    failure.resolve(error)
  }
  const metrics = new Metrics()
  const place = config.databaseUrl ? { url: config.databaseUrl } : { file: folder.privateFile(storeFile) }
  const opened = await openStore(place, { ...world, broken }, (changes) => metrics.beginCommit(changes))
  const store = world.aroundStore?.(opened) ?? opened
  stack.defer(() => store.close())
  if ('file' in place) stack.defer(watchDataFiles(folder, place.file, opened, world, broken))
  await pinPlace(store, config)
  const keys = await keepKeys(store, config.credentials, clock.now())

  const bus = await openBus(config, keys, world)
  stack.defer(() => bus.close())
  const publish = publishTo(bus, eventKinds)
  store.onCommit(({ events }) => publish(events))

  const cluster = config.databaseUrl
    ? new ClusterNode({ ...world, store, followTime: () => followTime(clock, opened) })
    : undefined
  const node: OwnNode = cluster ?? { id: soleOwner }
  // After everything that could still take a step in hand.
  stack.defer(() => cluster?.close())
  const admission: SendAdmission = createAdmission(config, world, metrics, () => engine)
  const parts: Parts = {
    ...world,
    store,
    read: store.read,
    place: { region: config.region, account: config.account },
    sessionHost: () => endpoint.wss,
    node,
    announce: (event) => publish([event]),
    admission,
    transientTokens: createTransientTokens(clock.now),
    tokenKey: keys.token,
    metrics,
    now: clock.now,
  }
  const mark = new FunctionsMark(folder, log)
  const functions = await createFunctions(config, world, mark, () => functionsSee(config, keys, listeners.functionsUrl))
  stack.defer(() => functions.close())
  const target = measured(await createTarget(functions, config, keys, world), metrics)
  const shortages = new Shortages({ clock, log, count: (kind) => metrics.countShortage(kind) })
  const engine: FlowEngine = new FlowEngine({ ...parts, target, clock, shortages })
  reportRuns({ store, log, metrics })

  const descriptors = processDescriptors()
  const onVerified = (stream: object) => listeners.connections.verified(stream)
  const onRefused = (stream: object) => listeners.connections.refused(stream)
  const listeners: Listeners = new Listeners(
    config,
    createApi(parts, keys, config, world, { phase: () => phase, onVerified }),
    { ...world, descriptors, metrics, shortages },
  )
  stack.defer(() => listeners.close())
  // Before the listeners wait for their requests.
  stack.defer(() => admission.close())
  const hub = new Hub<Session>({ bus, channelLog: new StoredChannelLog(store.read, eventKinds), clock, log })
  const sessions = createSessions(parts, keys, config, world, { hub, onVerified, onRefused })
  metrics.readFrom({
    sessions: () => ({ ...sessions.size, deliveries: sessions.deliveries }),
    logLag: () => hub.lag,
    isBusConnected: () => bus.connected,
    steps: () => engine.counts,
    connections: () => listeners.connections.counts,
    sendsQueued: () => admission.queued,
    pending: () => inTime(clock, 'the pending messages', pendingMsMax, readPending(store.read, clock.now())),
  })
  const logLag = () => hub.lag
  const functionsReady = () => functions.folderReady()
  const disk = { folder: folder.path, storesInFolder: 'file' in place }
  const checked = { clock, store, shortages, descriptors, bus, ...disk, phase: () => phase, logLag, functionsReady }
  const admin = createAdmin(config, metrics, world, checksOf(checked))
  if (admin) stack.defer(() => admin.close())
  for (const server of listeners.all) sessions.attach(server)
  // Before the listeners stop, so that functions at work can still call back.
  stack.defer(() => engine.close())
  stack.defer(() => sessions.close())

  if (config.tls) {
    const surroundings = { folder, authority: keys.authority, clock, log }
    stack.defer(await followCertificate(config, surroundings, (pair) => listeners.useCertificate(pair)))
  }
  const endpoint: Endpoint = {
    ...(await listeners.listen()),
    admin: await listenAdmin(admin, config),
    ...parts.place,
    ca: config.tls && !config.tlsFiles ? join(folder.path, authorityFile) : undefined,
  }
  if (cluster) await joinCluster(cluster, config, store, engine, bus)
  // Until then there are no places at functions.
  await functions.opened
  // Before the engine starts: functions call back. Not if the store has failed meanwhile.
  if (phase === 'starting') phase = 'ready'
  await engine.start()
  stack.defer(forgetNowAndThen(store, clock, log))
  // After a cluster's node has set its clock by the database's.
  stack.defer(warnOfClockSteps({ elapsedMs: systemElapsedMs, ...world }))
  const files = writeEndpointFiles(folder, endpoint, keys.root)
  stack.defer(() => {
    phase = 'stopping'
    removeEndpointFile(folder)
  })
  return {
    store: opened,
    endpoint,
    credentials: keys.root,
    files,
    functions: resolve(config.functions),
    failed: failure.promise,
  }
}

async function openBus({ nats: place }: Config, { cluster }: Keys, { clock, log, newId }: World): Promise<Bus> {
  if (!place) return memoryBus()
  // Loaded when called for: a node alone needs no client of NATS.
  const { connectNatsBus } = await import('./bus/nats.ts')
  return connectNatsBus({ place, prefix: `carillon.${cluster}`, nodeName: `carillon ${newId()}`, clock, log })
}

/** As one of those that share a database. */
async function joinCluster(
  node: ClusterNode,
  config: Config,
  store: Store,
  engine: FlowEngine,
  bus: Bus,
): Promise<void> {
  if (!config.nats) await node.requireNoOther()
  store.onUncertain(() => node.doubt())
  await node.start({
    lookForWork: () => void engine.look(),
    lost: (nodeId) => engine.forget(nodeId),
    stepsUnknown: () => engine.lookForOwn(),
    newsLost: () => bus.announceCatchUp(),
  })
}

async function followTime(clock: Clock, store: Store): Promise<void> {
  if (clock instanceof FollowingClock && store.sharedNow) await clock.follow(() => store.sharedNow!())
}

const createAdmission = ({ waitingMax }: Config, world: World, metrics: Metrics, engine: () => FlowEngine) =>
  new SendAdmission({
    ...world,
    waitingMax,
    metrics,
    backlogOf: (functionName) => engine().backlogs.backlogOf(functionName),
    backlogOfChannel: (functionName, channelArn) => engine().backlogs.backlogOfChannel(functionName, channelArn),
  })

async function createFunctions(
  config: Config,
  world: World,
  mark: FunctionsMark,
  environment: () => FunctionEnvironment,
) {
  const { functions: folder, functionsUser, functionProcesses: processesMax } = config
  const user = functionsUser === undefined ? undefined : await findFunctionsUser(functionsUser, folder)
  return createFunctionTarget({ ...world, folder, folderClock: systemClock, processesMax, environment, user, mark })
}

async function createTarget(functions: FunctionTarget, config: Config, keys: Keys, { clock }: World) {
  if (!config.lambda) return folderThenLambda(functions, undefined)
  // Its HTTP client takes 70 ms of processor time to load.
  const { createLambdaTarget } = await import('./processor/lambda-target.ts')
  const { region = config.region, credentials = keys.root } = config.lambda
  return folderThenLambda(functions, createLambdaTarget({ ...config.lambda, region, credentials, clock }))
}

const functionsSee = ({ region }: Config, { root }: Keys, url: string) => ({
  region,
  accessKeyId: root.accessKeyId,
  secretAccessKey: root.secretAccessKey,
  messagingEndpoint: url,
  identityEndpoint: url,
})

/** What signatures are for, besides what they come with. */
const signedFor = ({ region, publicHost }: Config) => ({
  region,
  publicHosts: publicHost === undefined ? [] : [publicHost],
})

/** What the parts that take calls and sessions are handed besides. */
interface Door {
  phase(): Phase
  onVerified(stream: object): void
}

function createApi(parts: Parts, keys: Keys, config: Config, world: World, { phase, onVerified }: Door) {
  const { limits } = config
  return createListener({
    ...world,
    metrics: parts.metrics,
    operations,
    authenticate: (request) =>
      verifyRequest(request, findAccessKey(parts.read, keys.root), signedFor(config), parts.now()),
    onVerified,
    contextFor: (call) => ({ ...parts, ...call }),
    gate: createGate({ limits, phase, now: parts.now }),
    translate: (error) =>
      error instanceof StoreUnavailable
        ? new ApiError('ServiceUnavailable', 'The server is busy; try again')
        : undefined,
    page: welcomePage,
    draining: () => phase() === 'stopping',
  })
}

function createSessions(
  { read, now, metrics }: Parts,
  keys: Keys,
  config: Config,
  world: World,
  {
    hub,
    onVerified,
    onRefused,
  }: { hub: Hub<Session>; onVerified(stream: object): void; onRefused(stream: object): void },
) {
  const find = findAccessKey(read, keys.root)
  return new SessionEndpoint({
    hub,
    authenticate: (target, host) => verifyConnect({ target, host }, find, signedFor(config), now()),
    onVerified,
    onRefused,
    admit: async (credentials, userArn) => {
      if (credentials.suspended) return { admitted: false, reason: 'Forbidden: the access key is suspended' }
      if (await findUser(read, userArn)) return { admitted: true }
      return { admitted: false, reason: 'Forbidden: there is no such AppInstanceUser' }
    },
    prefetch: (userArn, sortBy) => channelDetails(read, userArn, sortBy),
    metrics,
    clock: world.clock,
    log: world.log,
  })
}

/** None unless its port is set. */
function createAdmin({ adminPort }: Config, metrics: Metrics, world: World, checks: Checks) {
  if (adminPort === undefined) return undefined
  metrics.measureProcess()
  return new AdminServer({ readiness: new Readiness(checks, world.clock), metrics, log: world.log })
}

async function listenAdmin(admin: AdminServer | undefined, { adminHost, adminPort = 0 }: Config) {
  return admin && localUrl('http', adminHost, await admin.listen(adminHost, adminPort))
}

/** Answers what ends it. */
function forgetNowAndThen(store: Store, clock: Clock, log: Log): Cancel {
  const forget = () => {
    forgetOldTokens(store, clock.now()).catch((err: unknown) =>
      log.warn({ err }, 'old tokens were kept, until the next time'),
    )
  }
  forget()
  return every(clock, forgetEveryMs, forget)
}
