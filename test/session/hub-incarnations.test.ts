import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventKinds } from '../../src/api/events/index.ts'
import { memoryBus } from '../../src/bus/memory.ts'
import { StoredChannelLog } from '../../src/events/stored-channel-log.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { silentLog } from '../../src/runtime/log.ts'
import { Hub } from '../../src/session/hub.ts'
import { populate } from '../support/population.ts'
import { startTestServer } from '../support/running-server.ts'
import { SteeredStore } from '../support/steered-store.ts'
import { Listening } from './listening.ts'

const store = new SteeredStore()
const server = await startTestServer({ aroundStore: store.around })

test('a hub that has missed a deletion takes the channel that was created again for another one', async (context) => {
  const { channelArn, member, owner } = await populate(server)
  const [AppInstanceArn = '', ChannelId = ''] = channelArn.split('/channel/')
  // Its bus brings nothing: the hub of a node that NATS does not reach.
  const channelLog = new StoredChannelLog(store.read, eventKinds)
  const hub = new Hub<Listening>({
    bus: memoryBus(),
    channelLog,
    userIsGone: () => {},
    clock: systemClock,
    log: silentLog,
  })
  context.after(() => hub.close())
  const [former, again] = [new Listening(member), new Listening(owner)]
  for (const session of [former, again]) await hub.register(session)

  await server.messaging.deleteChannel({ ChannelArn: channelArn, ChimeBearer: owner })
  const { ChannelArn } = await server.messaging.createChannel({
    AppInstanceArn,
    ChannelId,
    Name: 'again',
    ChimeBearer: owner,
    ClientRequestToken: 'again',
  })
  assert.equal(ChannelArn, channelArn)
  const secrets = Array.from({ length: 6 }, (_, index) => `secret-${index}`)
  for (const Content of secrets) {
    const message = { Content, Type: 'STANDARD', Persistence: 'PERSISTENT' } as const
    await server.messaging.sendChannelMessage({
      ChannelArn,
      ChimeBearer: owner,
      ClientRequestToken: Content,
      ...message,
    })
  }
  hub.catchUp()
  assert.deepEqual(await again.until('secret-5'), ['DELETE_CHANNEL', 'CREATE_CHANNEL_MEMBERSHIP', ...secrets])
  assert.deepEqual(former.heard, ['DELETE_CHANNEL'])
})
