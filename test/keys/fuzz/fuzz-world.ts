import { processor } from '../../support/population.ts'
import type { TestServer } from '../../support/running-server.ts'
import type { SteeredStore } from '../../support/steered-store.ts'
import { TestKeys } from '../../support/test-keys.ts'
import { until } from '../../support/until.ts'
import { createTriedKeys, type TriedKey } from './tried-keys.ts'

/*
 * Two AppInstances with the same people: Ann, whose keys are tried, Bob, who has nothing to do with her except that he is a
 * member of her room, and the admin. Everything belongs to a zone, and each text of it names the zone, so that a response
 * shows what it was made from.
 */

/** `A:ann`: what Ann owns in the AppInstance A. `server`: what belongs to no AppInstance. */
export type Zone = string

export const secretOf = (zone: Zone) => `[[${zone}]]`

/** One AppInstance. */
export interface House {
  name: 'A' | 'B'
  arn: string
  ann: string
  bob: string
  admin: string
  flows: string[]
  /** Ann's channels, then Bob's; the second of each has a flow, with a message that waits. */
  channels: string[]
  messageIds: string[]
  callbackIds: string[]
}

export interface FuzzWorld {
  houses: readonly [House, House]
  /** In the order in which they are tried: the later ones may change what the earlier ones may not. */
  keys: TriedKey[]
}

export async function createWorld(server: TestServer, store: SteeredStore): Promise<FuzzWorld> {
  const [a, b] = [await buildHouse(server, 'A'), await buildHouse(server, 'B')]
  await settled(store)
  return { houses: [a, b], keys: await createTriedKeys(new TestKeys(server, store), server, [a, b]) }
}

/** Waits until every step is handed off: later changes of steps are then those of calls. */
export function settled({ read }: SteeredStore): Promise<void> {
  const dispatching = "SELECT count(*) AS n FROM flow_step WHERE state = 'DISPATCHING'"
  return until(async () => (await read.get<{ n: number }>(dispatching))?.n === 0)
}

async function buildHouse({ identity, messaging, processors }: TestServer, name: House['name']): Promise<House> {
  const instance = secretOf(`${name}:instance`)
  const { AppInstanceArn } = await identity.createAppInstance({ Name: instance, Metadata: instance })
  const arn = AppInstanceArn!
  const people = ['ann', 'bob', 'admin']
  for (const AppInstanceUserId of people) {
    const Metadata = secretOf(`${name}:people`)
    await identity.createAppInstanceUser({ AppInstanceArn, AppInstanceUserId, Name: AppInstanceUserId, Metadata })
  }
  const [ann, bob, admin] = people.map((id) => `${arn}/user/${id}`) as [string, string, string]
  await identity.createAppInstanceAdmin({ AppInstanceArn, AppInstanceAdminArn: admin })
  const house: House = { name, arn, ann, bob, admin, flows: [], channels: [], messageIds: [], callbackIds: [] }
  for (const functionName of ['first', 'second', 'acting']) {
    const Processors = [processor(functionName)]
    const flow = { AppInstanceArn, Name: secretOf(`${name}:flows`), Processors }
    house.flows.push((await messaging.createChannelFlow(flow)).ChannelFlowArn!)
  }
  const owners = [
    [ann, 'ann', house.flows[0]],
    [bob, 'bob', house.flows[1]],
  ] as const
  for (const [ChimeBearer, id, ChannelFlowArn] of owners) {
    const Name = secretOf(`${name}:${id}`)
    const members = id === 'ann' ? { MemberArns: [bob] } : {}
    const room = { AppInstanceArn, ChimeBearer, Name, Metadata: Name, Privacy: 'PRIVATE', ...members } as const
    const message = { ChimeBearer, Content: Name, Metadata: Name, Type: 'STANDARD', Persistence: 'PERSISTENT' } as const
    const { ChannelArn } = await messaging.createChannel(room)
    house.messageIds.push((await messaging.sendChannelMessage({ ChannelArn, ...message })).MessageId!)
    const { ChannelArn: heldArn } = await messaging.createChannel({
      ...room,
      ChannelId: `held-${id}`,
      MemberArns: undefined,
    })
    await messaging.associateChannelFlow({ ChannelArn: heldArn, ChannelFlowArn, ChimeBearer })
    const { MessageId } = await messaging.sendChannelMessage({ ChannelArn: heldArn, ...message })
    house.callbackIds.push((await processors.next(MessageId)).CallbackId)
    house.messageIds.push(MessageId!)
    house.channels.push(ChannelArn!, heldArn!)
    await messaging.tagResource({ ResourceARN: ChannelArn, Tags: [{ Key: 'zone', Value: Name }] })
  }
  return house
}
