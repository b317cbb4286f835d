import { eventKinds } from '../api/events/index.ts'
import type { Bus } from '../bus/bus.ts'
import { memoryBus } from '../bus/memory.ts'
import { ClusterNode } from '../cluster/node.ts'
import type { Config } from '../config.ts'
import type { AwsLocation } from '../contract/arn.ts'
import { publishTo } from '../events/publisher.ts'
import type { OwnNode } from '../flow/decision.ts'
import type { FlowEngine } from '../flow/engine.ts'
import { type Keys, keepKeys, pinLocation } from '../keys/kept-keys.ts'
import { openStore, storeFile } from '../open-store.ts'
import { type Clock, FollowingClock } from '../runtime/clock.ts'
import { type DataFolder, openDataFolder } from '../runtime/data-folder.ts'
import { removeEndpointFile } from '../runtime/endpoint-files.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { ChannelEvent } from '../store/channel-event.ts'
import { soleOwner } from '../store/steps.ts'
import type { Store } from '../store/store.ts'
import { refuseOverwritten, warnOfNetwork, watchDataFiles } from './data-files.ts'
import type { Life } from './life.ts'
import type { World } from './world.ts'

/** The server's durable data, and the bus that announces commits to the nodes that share the data. */
export interface ServerRecord {
  folder: DataFolder
  /** Whether the store writes to the data folder. */
  storesInFolder: boolean
  /** The region and the account of ARNs. They never change. */
  location: AwsLocation
  store: Store
  keys: Keys
  bus: Bus
  publish(events: ChannelEvent[]): void
  /** Undefined unless other nodes may share the store. */
  cluster: ClusterNode | undefined
  /** The owner of this process's steps. */
  node: OwnNode
  /** Gives up a store that does not respond, so that the rest of a stop does not wait for it. */
  abandon(): void
}

/** Opens everything durable. It does not register this node: joinCluster does. */
export async function openRecord(
  config: Config,
  world: World,
  { life, metrics }: { life: Life; metrics: Metrics },
  stack: AsyncDisposableStack,
): Promise<ServerRecord> {
  const { clock, log } = world
  const folder = openDataFolder(config.dataDir)
  stack.defer(() => folder.close())
  removeEndpointFile(folder)
  refuseOverwritten(folder)
  warnOfNetwork(folder, log)

  const location = config.databaseUrl ? { url: config.databaseUrl } : { file: folder.privateFile(storeFile) }
  const broken = (error: Error) => life.fail(error)
  const opened = await openStore(location, { ...world, broken }, (changes) => metrics.beginCommit(changes))
  const store = world.aroundStore?.(opened) ?? opened
  stack.defer(() => store.close())
  if ('file' in location) stack.defer(watchDataFiles(folder, location.file, opened, world, broken))
  await pinLocation(store, config)
  const keys = await keepKeys(store, config.credentials, clock.now())

  const bus = await openBus(config, keys, world)
  stack.defer(() => bus.close())
  const publish = publishTo(bus, eventKinds)
  store.onCommit(({ events }) => publish(events))

  const cluster = config.databaseUrl
    ? new ClusterNode({ ...world, store, followTime: () => followTime(clock, opened) })
    : undefined
  // After all parts that could still take a step.
  stack.defer(() => cluster?.close())
  return {
    folder,
    storesInFolder: 'file' in location,
    location: { region: config.region, account: config.account },
    store,
    keys,
    bus,
    publish,
    cluster,
    node: cluster ?? { id: soleOwner },
    abandon: () => opened.abandon?.(),
  }
}

async function openBus({ nats }: Config, { cluster }: Keys, world: World): Promise<Bus> {
  if (!nats) return memoryBus()
  // Loaded on demand: a single node needs no client of NATS.
  const { connectNatsBus } = await import('../bus/nats.ts')
  return connectNatsBus({ ...world, nats, prefix: `carillon.${cluster}`, nodeName: `carillon ${world.newId()}` })
}

/** Registers this node among the nodes of its database. */
export async function joinCluster(
  { cluster, store, bus }: ServerRecord,
  config: Config,
  engine: FlowEngine,
): Promise<void> {
  if (!cluster) return
  if (!config.nats) await cluster.requireNoOther()
  store.onUncertain(() => cluster.markUncertain())
  await cluster.start({
    lookForWork: () => void engine.look(),
    lost: (nodeId) => engine.forget(nodeId),
    stepsUnknown: () => engine.lookForOwn(),
    eventsLost: () => bus.announceCatchUp(),
  })
}

async function followTime(clock: Clock, store: Store): Promise<void> {
  if (clock instanceof FollowingClock && store.sharedNow) await clock.follow(() => store.sharedNow!())
}
