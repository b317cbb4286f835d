import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { join, resolve } from 'node:path'
import { findUser } from './api/app-instance-users/app-instance-user.ts'
import { memberships } from './api/channel-memberships/channel-membership.ts'
import type { Services } from './api/context.ts'
import { eventPayload } from './api/event-payload.ts'
import { forgetOldTokens } from './api/idempotency.ts'
import { operations } from './api/index.ts'
import { channelDetails } from './api/messaging-sessions/channel-details.ts'
import { createTransientTokens } from './api/transient-tokens.ts'
import type { Bus } from './bus/bus.ts'
import { memoryBus } from './bus/memory.ts'
import type { Config } from './config.ts'
import { ApiError } from './contract/api-error.ts'
import { publishTo } from './events/publisher.ts'
import { FlowEngine } from './flow/engine.ts'
import { createListener, serverOptions } from './http/serve.ts'
import { type Keys, keepCertificate, keepKeys, pinPlace } from './keys.ts'
import { createFunctionTarget } from './processor/function-target.ts'
import type { Clock } from './runtime/clock.ts'
import { openDataFolder } from './runtime/data-folder.ts'
import { type AwsFiles, type Endpoint, removeEndpointFile, writeEndpointFiles } from './runtime/endpoint-files.ts'
import { listen, localUrl, stopListening } from './runtime/listening.ts'
import type { Log } from './runtime/log.ts'
import { SessionEndpoint } from './session/endpoint.ts'
import { Hub } from './session/hub.ts'
import type { Credentials, FindCredentials } from './signature/credentials.ts'
import { verifyConnect } from './signature/verify-connect.ts'
import { verifyRequest } from './signature/verify-request.ts'
import { SqliteStore } from './store/sqlite.ts'
import { type Store, StoreBusy } from './store/store.ts'
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

  const store = new SqliteStore(folder.privateFile('carillon.sqlite'), clock.now())
  stack.defer(() => store.close())
  await pinPlace(store, config)
  const keys = await keepKeys(store, config, clock.now())
  const certificate = await keepCertificate(folder, keys.authority, config, clock.now())

  const bus = memoryBus()
  stack.defer(() => bus.close())
  const publish = publishTo(bus, eventPayload)
  store.onCommit(({ events }) => publish(events))

  const services: Services = {
    ...world,
    store,
    read: store.read,
    place: { region: config.region, account: config.account },
    sessionHost: () => endpoint.wss,
    lease: { owner: world.newId(), leaseMs },
    announce: (event) => publish([event]),
    transientTokens: createTransientTokens(clock.now),
    tokenKey: keys.token,
    now: clock.now,
  }
  const target = createFunctionTarget({
    ...world,
    folder: config.functions,
    environment: () => functionsSee(endpoint, keys),
  })
  const engine = new FlowEngine({ ...services, target, clock })

  const draining = { now: false }
  const listener = createApi(services, keys, config, world, () => draining.now)
  const http = createHttpServer(serverOptions, listener)
  const { certificatePem: cert, privateKeyPem: key } = certificate
  const https = createHttpsServer({ ...serverOptions, cert, key }, listener)
  const sessions = createSessions(services, keys, config, world, bus)
  for (const server of [http, https]) {
    sessions.attach(server)
    stack.defer(() => stopListening(server))
  }
  // Before the listeners stop, so that functions at work can still call back.
  stack.defer(() => engine.close())
  stack.defer(() => sessions.close())

  const httpPort = await listen(http, config.host, config.httpPort)
  const httpsPort = await listen(https, config.host, config.httpsPort)
  const endpoint: Endpoint = {
    http: localUrl('http', config.host, httpPort),
    https: localUrl('https', config.host, httpsPort),
    wss: config.publicHost ?? `localhost:${httpsPort}`,
    ...services.place,
    ca: join(folder.path, 'ca.pem'),
  }
  await engine.start()
  stack.defer(forgetNowAndThen(store, clock, log))
  const files = writeEndpointFiles(folder, endpoint, keys.root)
  stack.defer(() => {
    draining.now = true
    removeEndpointFile(folder)
  })
  return { endpoint, credentials: keys.root, files, functions: resolve(config.functions) }
}

const findIn =
  ({ root }: Keys): FindCredentials =>
  (accessKeyId) =>
    accessKeyId === root.accessKeyId ? root : undefined

const functionsSee = ({ http, region }: Endpoint, { root }: Keys) => ({
  region,
  accessKeyId: root.accessKeyId,
  secretAccessKey: root.secretAccessKey,
  messagingEndpoint: http,
  identityEndpoint: http,
})

function createApi(services: Services, keys: Keys, { region }: Config, world: World, draining: () => boolean) {
  return createListener({
    ...world,
    operations,
    authenticate: (request) => verifyRequest(request, findIn(keys), { region }, services.now()),
    contextFor: ({ credentials, requestId }) => ({ ...services, credentials, requestId }),
    translate: (error) =>
      error instanceof StoreBusy ? new ApiError('ServiceUnavailable', 'The server is busy; try again') : undefined,
    page: welcomePage,
    draining,
  })
}

function createSessions({ read, now }: Services, keys: Keys, config: Config, { clock, log }: World, bus: Bus) {
  const publicHosts = config.publicHost === undefined ? [] : [config.publicHost]
  return new SessionEndpoint({
    hub: new Hub({ bus, membershipsOf: (userArn) => memberships(read, userArn) }),
    authenticate: (target, host) =>
      verifyConnect({ target, host }, findIn(keys), { region: config.region, publicHosts }, now()),
    admit: async (_credentials, userArn) =>
      (await findUser(read, userArn))
        ? { admitted: true }
        : { admitted: false, reason: 'Forbidden: there is no such AppInstanceUser' },
    prefetch: (userArn, sortBy) => channelDetails(read, userArn, sortBy),
    clock,
    log,
  })
}

/** Answers what ends it. */
function forgetNowAndThen(store: Store, clock: Clock, log: Log): () => void {
  let cancel = () => {}
  const forget = () => {
    forgetOldTokens(store, clock.now()).catch((error: unknown) => log.error({ err: error }, 'old tokens were kept'))
    cancel = clock.at(clock.now() + forgetEveryMs, forget)
  }
  forget()
  return () => cancel()
}
