import { findUser } from '../api/app-instance-users/app-instance-user.ts'
import { eventKinds } from '../api/events/index.ts'
import { channelDetails } from '../api/messaging-sessions/channel-details.ts'
import type { Config } from '../config.ts'
import { StoredChannelLog } from '../events/stored-channel-log.ts'
import type { Connections } from '../http/connections.ts'
import type { FindKey } from '../keys/key.ts'
import { may } from '../keys/may.ts'
import type { Metrics } from '../runtime/metrics.ts'
import { SessionEndpoint } from '../session/endpoint.ts'
import { Hub } from '../session/hub.ts'
import type { Session } from '../session/session.ts'
import { verifyConnect } from '../signature/verify-connect.ts'
import type { ServerRecord } from './open-record.ts'
import { signedFor } from './signed-for.ts'
import type { World } from './world.ts'

/** Creates the hub and the endpoint of sessions. */
export function createSessions(
  config: Config,
  { clock, log }: World,
  { store: { read }, bus }: ServerRecord,
  { metrics, connections, findKey }: { metrics: Metrics; connections: Connections; findKey: FindKey },
) {
  const hub = new Hub<Session>({ bus, channelLog: new StoredChannelLog(read, eventKinds), clock, log })
  const sessions = new SessionEndpoint({
    hub,
    read,
    authenticate: (target, host) => verifyConnect({ target, host }, findKey, signedFor(config), clock.now()),
    onVerified: (stream) => connections.verified(stream),
    onRefused: (stream) => connections.refused(stream),
    admit: async (credentials, userArn) => {
      if (credentials.suspended) return { admitted: false, reason: 'Forbidden: the access key is suspended' }
      if (!may(credentials.grant, { action: 'chime:Connect', resources: [userArn] })) {
        return { admitted: false, reason: 'Forbidden: the access key may not connect as this AppInstanceUser' }
      }
      const user = await findUser(read, userArn)
      if (user) return { admitted: true, userId: user.user_id }
      return { admitted: false, reason: 'Forbidden: there is no such AppInstanceUser' }
    },
    prefetch: (userArn, sortBy) => channelDetails(read, userArn, { sortBy, now: clock.now() }),
    metrics,
    clock,
    log,
  })
  return { hub, sessions }
}
