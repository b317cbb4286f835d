import { join, resolve } from 'node:path'
import { findAccessKey } from './access-keys.ts'
import { findUser } from './api/app-instance-users/app-instance-user.ts'
import { memberships } from './api/channel-memberships/channel-membership.ts'
import type { ApiParts } from './api/context.ts'
import { eventPayload } from './api/event-payload.ts'
import { createGate, type Phase } from './api/gate.ts'
import { forgetOldTokens } from './api/idempotency.ts'
import { operations } from './api/index.ts'
import { channelDetails } from './api/messaging-sessions/channel-details.ts'
import { createTransientTokens } from './api/transient-tokens.ts'
import type { Bus } from './bus/bus.ts'
import { memoryBus } from './bus/memory.ts'
import { authorityFile, followCertificate } from './certificate.ts'
import { ClusterNode } from './cluster/node.ts'
import type { Config } from './config.ts'
import { ApiError } from './contract/api-error.ts'
import { publishTo } from './events/publisher.ts'
import type { Lease } from './flow/decision.ts'
import { FlowEngine } from './flow/engine.ts'
import { createListener } from './http/serve.ts'
import { type Keys, keepKeys, pinPlace } from './keys.ts'
import { Listeners } from './listeners.ts'
import { openStore, storeFile } from './open-store.ts'
import { folderThenLambda } from './processor/folder-then-lambda.ts'
import type { FunctionEnvironment } from './processor/function-environment.ts'
import { createFunctionTarget } from './processor/function-target.ts'
import { createLambdaTarget } from './processor/lambda-target.ts'
import { type Cancel, type Clock, every } from './runtime/clock.ts'
import { openDataFolder } from './runtime/data-folder.ts'
import { type AwsFiles, type Endpoint, removeEndpointFile, writeEndpointFiles } from './runtime/endpoint-files.ts'
import type { Log } from './runtime/log.ts'
import { SessionEndpoint } from './session/endpoint.ts'
import { Hub } from './session/hub.ts'
import type { Credentials } from './signature/credentials.ts'
import { verifyConnect } from './signature/verify-connect.ts'
import { verifyRequest } from './signature/verify-request.ts'
import { type Store, StoreUnavailable } from './store/store.ts'
import { welcomePage } from './welcome-page.ts'

/** How long a step that a node has in hand is left alone by the others. */
const leaseMs = 30_000
/** How often the tokens of yesterday's calls are forgotten. */
const forgetEveryMs = 3_600_000

/** What a server takes from the world around it. */
export interface World {
  clock: Clock
  log: Log
  newId(): string
  random(): number
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
  /** Takes nothing new, tells the sessions, finishes what is in hand. */
  close(): Promise<void>
}

/** Starts a server. Nothing of it is left when it fails half-way. */
export async function startServer(config: Config, world: World): Promise<RunningServer> {
  const stack = new AsyncDisposableStack()
  try {
    const server = await build(config, world, stack)
    const running = stack.move()
    return { ...server, close: () => running.disposeAsync() }
  } catch (error) {
    await stack.disposeAsync()
    throw error
  }
}

/** The one place where the parts meet. What is put on the stack last stops first. */
async function build(config: Config, world: World, stack: AsyncDisposableStack): Promise<Omit<RunningServer, 'close'>> {
  const { clock, log } = world
  const folder = openDataFolder(config.dataDir)
  stack.defer(() => folder.close())
  removeEndpointFile(folder)

  const opened = openStore(folder.privateFile(storeFile), clock.now())
  const store = world.aroundStore?.(opened) ?? opened
  stack.defer(() => store.close())
  await pinPlace(store, config)
  const keys = await keepKeys(store, config, clock.now())

  const bus = memoryBus()
  stack.defer(() => bus.close())
  const publish = publishTo(bus, eventPayload)
  store.onCommit(({ events }) => publish(events))

  const node = new ClusterNode({ ...world, store })
  const parts: ApiParts = {
    ...world,
    store,
    read: store.read,
    place: { region: config.region, account: config.account },
    sessionHost: () => endpoint.wss,
    lease: leaseOf(node),
    announce: (event) => publish([event]),
    transientTokens: createTransientTokens(clock.now),
    tokenKey: keys.token,
    now: clock.now,
  }
  const target = createTarget(config, keys, world, () => functionsSee(endpoint, keys))
  const engine = new FlowEngine({ ...parts, target, clock })

  let phase: Phase = 'starting'
  const listeners = new Listeners(
    config,
    createApi(parts, keys, config, world, () => phase),
    world,
  )
  stack.defer(() => listeners.close())
  const sessions = createSessions(parts, keys, config, world, bus)
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
    ...parts.place,
    ca: config.tls && !config.tlsFiles ? join(folder.path, authorityFile) : undefined,
  }
  phase = 'ready'
  await node.startAlone()
  await engine.start()
  stack.defer(forgetNowAndThen(store, clock, log))
  const files = writeEndpointFiles(folder, endpoint, keys.root)
  stack.defer(() => {
    phase = 'stopping'
    removeEndpointFile(folder)
  })
  return { endpoint, credentials: keys.root, files, functions: resolve(config.functions) }
}

/** The node's id may change while it runs. */
const leaseOf = (node: ClusterNode): Lease => ({
  get owner() {
    return node.id
  },
  leaseMs,
})

function createTarget(config: Config, keys: Keys, world: World, environment: () => FunctionEnvironment) {
  const functions = createFunctionTarget({ ...world, folder: config.functions, environment })
  if (!config.lambda) return folderThenLambda(functions, undefined)
  const { endpoint, functionName, region = config.region, credentials = keys.root } = config.lambda
  const lambda = createLambdaTarget({ endpoint, functionName, region, credentials, clock: world.clock })
  return folderThenLambda(functions, lambda)
}

const functionsSee = ({ http, region }: Endpoint, { root }: Keys) => ({
  region,
  accessKeyId: root.accessKeyId,
  secretAccessKey: root.secretAccessKey,
  messagingEndpoint: http,
  identityEndpoint: http,
})

/** What signatures are for, besides what they come with. */
const signedFor = ({ region, publicHost }: Config) => ({
  region,
  publicHosts: publicHost === undefined ? [] : [publicHost],
})

function createApi(parts: ApiParts, keys: Keys, config: Config, world: World, phase: () => Phase) {
  const { limits } = config
  return createListener({
    ...world,
    operations,
    authenticate: (request) =>
      verifyRequest(request, findAccessKey(parts.read, keys.root), signedFor(config), parts.now()),
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

function createSessions({ read, now }: ApiParts, keys: Keys, config: Config, { clock, log }: World, bus: Bus) {
  const find = findAccessKey(read, keys.root)
  return new SessionEndpoint({
    hub: new Hub({ bus, membershipsOf: (userArn) => memberships(read, userArn) }),
    authenticate: (target, host) => verifyConnect({ target, host }, find, signedFor(config), now()),
    admit: async (credentials, userArn) => {
      if (credentials.suspended) return { admitted: false, reason: 'Forbidden: the access key is suspended' }
      if (await findUser(read, userArn)) return { admitted: true }
      return { admitted: false, reason: 'Forbidden: there is no such AppInstanceUser' }
    },
    prefetch: (userArn, sortBy) => channelDetails(read, userArn, sortBy),
    clock,
    log,
  })
}

/** Answers what ends it. */
function forgetNowAndThen(store: Store, clock: Clock, log: Log): Cancel {
  const forget = () => {
    forgetOldTokens(store, clock.now()).catch((err: unknown) => log.error({ err }, 'old tokens were kept'))
  }
  forget()
  return every(clock, forgetEveryMs, forget)
}
