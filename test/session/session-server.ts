import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'
import { memoryBus } from '../../src/bus/memory.ts'
import { frame } from '../../src/events/frame.ts'
import { rootGrant } from '../../src/keys/grant.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { Metrics } from '../../src/runtime/metrics.ts'
import { SessionEndpoint } from '../../src/session/endpoint.ts'
import { Hub } from '../../src/session/hub.ts'
import type { Session } from '../../src/session/session.ts'
import type { VerifiedConnect } from '../../src/signature/verify-connect.ts'
import { ManualClock } from '../support/manual-clock.ts'
import { ModelLog } from './model-log.ts'

type EndpointParts = ConstructorParameters<typeof SessionEndpoint>[0]

export const appInstanceArn = 'arn:aws:chime:us-east-1:000000000000:app-instance/a'
export const userArnOf = (name: string) => `${appInstanceArn}/user/${name}`
export const channelArnOf = (name: string) => `${appInstanceArn}/channel/${name}`

/** A session endpoint on a free port of this machine, and what is around it. */
export class SessionServer {
  readonly bus = memoryBus()
  readonly clock = new ManualClock()
  readonly channelLog = new ModelLog()
  readonly hub: Hub<Session>
  readonly endpoint: SessionEndpoint
  readonly server: Server | HttpsServer

  constructor(server: Server | HttpsServer, parts: Partial<EndpointParts>) {
    this.server = server
    const { bus, clock, channelLog } = this
    this.hub = new Hub<Session>({ bus, clock, channelLog, log: silentLog })
    this.endpoint = new SessionEndpoint({
      hub: this.hub,
      authenticate: async (target) => unsignedConnect(target),
      onVerified: () => {},
      onRefused: () => {},
      read: { get: async () => undefined, all: async () => [] },
      admit: async () => ({ admitted: true, userId: 1 }),
      prefetch: async function* () {},
      metrics: new Metrics(),
      clock: this.clock,
      log: silentLog,
      ...parts,
    })
    this.endpoint.attach(server)
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port
  }

  /** To all members of a channel. */
  publish(channelArn: string, eventType: string, payload: object = {}): void {
    const audience = { to: 'members' } as const
    const ref = this.channelLog.ref(channelArn)
    this.bus.publish([{ ...ref, seq: undefined, audience, frame: frame(eventType, 'STANDARD', payload) }])
  }

  /** What is left after the time for a close has run out is cut off. */
  async close(): Promise<void> {
    const closed = this.endpoint.close()
    this.clock.advance(60_000)
    await closed
    this.server.closeAllConnections()
    if (this.server.listening) await new Promise((resolve) => this.server.close(resolve))
  }
}

export async function startSessionServer(
  t: TestContext,
  parts: Partial<EndpointParts> = {},
  { server = createServer(), port = 0 }: { server?: Server | HttpsServer; port?: number } = {},
): Promise<SessionServer> {
  const sessionServer = new SessionServer(server, parts)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => sessionServer.close())
  return sessionServer
}

/** Verifies nothing. */
function unsignedConnect(target: string): VerifiedConnect {
  const query = new URL(target, 'http://localhost').searchParams
  const [userArn, sessionId, prefetchSortBy] = ['userArn', 'sessionId', 'prefetch-sort-by'].map((name) =>
    query.get(name),
  )
  if (!userArn || !sessionId) return { ok: false, reason: 'Unauthorized: userArn or sessionId is missing' }
  const parameters = {
    userArn,
    sessionId,
    ...(query.has('prefetch-on') && { prefetchOn: 'connect' as const }),
    ...(prefetchSortBy && { prefetchSortBy }),
  }
  return { ok: true, credentials: { accessKeyId: 'AKIATEST', secretAccessKey: 'secret', grant: rootGrant }, parameters }
}
