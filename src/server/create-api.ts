import type { Socket } from 'node:net'
import { withAudit } from '../api/audit/audited.ts'
import { RejectedCallbacks } from '../api/channel-flows/rejected-callbacks.ts'
import { MessageIds } from '../api/channel-messages/message-ids.ts'
import type { ApiParts } from '../api/context.ts'
import { createGate } from '../api/gate.ts'
import { carillonOperations, operations } from '../api/index.ts'
import { SendAdmission } from '../api/send-admission.ts'
import { createTransientTokens } from '../api/transient-tokens.ts'
import type { Config } from '../config.ts'
import { ApiError } from '../contract/api-error.ts'
import type { FlowEngine } from '../flow/engine.ts'
import type { Connections } from '../http/connections.ts'
import { createListener } from '../http/serve.ts'
import { welcomePage } from '../http/welcome-page.ts'
import { createAuthorize } from '../keys/authorize.ts'
import type { IdentityVerifier } from '../keys/identity.ts'
import type { FindKey } from '../keys/key.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Verified } from '../signature/rejection.ts'
import { type SignedRequest, verifyRequest } from '../signature/verify-request.ts'
import { StoreUnavailable } from '../store/store.ts'
import { createStsFor } from './create-sts.ts'
import type { Life } from './life.ts'
import type { ServerRecord } from './open-record.ts'
import { signedFor } from './signed-for.ts'
import type { World } from './world.ts'

interface Surroundings {
  life: Life
  metrics: Metrics
  engine: FlowEngine
  /** The endpoint that GetMessagingSessionEndpoint returns. Called for each call. */
  sessionHost(): string
  connections: Connections
  processors: ApiParts['processors']
  findKey: FindKey
  /** Undefined if no identity provider is set. */
  webIdentity: IdentityVerifier | undefined
  machine: ApiParts['machine']
}

/** Creates the listener that serves the operations, and the admission of sends. */
export function createApi(config: Config, world: World, record: ServerRecord, around: Surroundings) {
  const { metrics, engine, life, sessionHost, connections, findKey, machine } = around
  const { store, location, node, keys, publish } = record
  const { now } = world.clock
  const admission = createAdmission(config, world, metrics, engine)
  const parts: ApiParts = {
    ...world,
    store,
    read: store.read,
    location,
    sessionHost,
    node,
    announce: (event) => publish([event]),
    admission,
    transientTokens: createTransientTokens(now),
    messageIds: new MessageIds(keys.secrets.mac('messageIds', ''), world.random),
    engine,
    rejectedCallbacks: new RejectedCallbacks({ ...world, store }),
    machine,
    processors: around.processors,
    tokenKey: keys.token,
    keySecrets: keys.secrets,
    metrics,
    now,
  }
  const verify = (request: SignedRequest) =>
    verifyRequest(request, findKey, { ...signedFor(config), service: 'chime' }, now())
  const common = {
    ...world,
    metrics,
    operations: [...operations, ...carillonOperations].map(withAudit),
    onVerified: (stream: Socket) => connections.verified(stream),
    gate: createGate({ limits: config.limits, rates: config.rates, phase: () => life.phase, now }),
    authorize: createAuthorize({ read: store.read, log: world.log }),
    translate: (error: unknown) =>
      error instanceof StoreUnavailable
        ? new ApiError('ServiceUnavailable', 'The server is busy; try again')
        : undefined,
    sts: createStsFor(config, world, record, around),
    page: welcomePage,
    draining: () => life.phase === 'stopping',
  }
  const listener = createListener({
    ...common,
    authenticate: verify,
    contextFor: (call) => ({ ...parts, ...call }),
    isCrossOrigin: true,
  })
  /** The same operations on the admin port, where its pages also call them, and open their sessions. */
  const adminListener = (authenticate: (verify: Verify) => Verify) =>
    createListener({
      ...common,
      authenticate: authenticate(verify),
      contextFor: (call) => ({ ...parts, ...call, sessionHost: () => call.host ?? '' }),
      isCrossOrigin: false,
    })
  return { listener, adminListener, admission }
}

/** Who makes a call. */
export type Verify = (request: SignedRequest) => Promise<Verified>

const createAdmission = ({ waitingMax }: Config, world: World, metrics: Metrics, { backlogs }: FlowEngine) =>
  new SendAdmission({
    ...world,
    waitingMax,
    metrics,
    backlogOf: (functionName) => backlogs.backlogOf(functionName),
    backlogOfChannel: (functionName, channelArn) => backlogs.backlogOfChannel(functionName, channelArn),
  })
