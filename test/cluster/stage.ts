import { randomUUID } from 'node:crypto'
import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { clientsOf } from './clients.ts'
import { type Club, type ClubPeople, clubIds, createClub } from './clubs.ts'
import type { Cluster } from './cluster.ts'
import { faultKinds, functionNames } from './fault-kinds.ts'
import type { ChannelFacts } from './history.ts'

/** Where the functions write down what they were given. */
export interface Notes {
  turns: string
  callbacks: string
}

/** The functions folder that all nodes share. */
export async function writeFunctions(folder: string): Promise<Notes> {
  const notes = { turns: join(folder, '..', 'turns'), callbacks: join(folder, '..', 'callbacks') }
  for (const file of Object.values(notes)) await writeFile(file, '')
  const environment = { TURNS: notes.turns, CALLBACKS: notes.callbacks }
  for (const name of functionNames) {
    await mkdir(join(folder, name), { recursive: true })
    await symlink(join(import.meta.dirname, 'processor.mjs'), join(folder, name, 'index.mjs'))
    await writeFile(join(folder, name, 'function.json'), JSON.stringify({ environment }))
  }
  return notes
}

/** Who talks where. */
export interface Stage extends ClubPeople {
  /** An AppInstanceAdmin, who is in no channel. */
  adminArn: string
  senderArns: string[]
  userArns: string[]
  /** By the name of the kind. */
  channelArns: Map<string, string>
  clubs: Club[]
}

/** The channels, each with its members from the start to the end of the run. */
export const channelsOf = ({ channelArns, userArns, clubs, founderArns }: Stage): ChannelFacts[] => [
  ...[...channelArns.values()].map((channelArn) => ({ channelArn, memberArns: userArns })),
  ...clubs.map(({ channelArn }) => ({ channelArn, memberArns: founderArns })),
]

/** An AppInstance with two who send and two who read; for each kind a channel with its flow and all of them; the clubs. */
export async function setStage(cluster: Cluster): Promise<Stage> {
  const { messaging, identity } = clientsOf(cluster)
  const instance = await identity.createAppInstance({ Name: 'faults', ClientRequestToken: randomUUID() })
  const AppInstanceArn = instance.AppInstanceArn as string
  const user = async (id: string) => {
    const asked = { AppInstanceArn, AppInstanceUserId: id, Name: id, ClientRequestToken: randomUUID() }
    return (await identity.createAppInstanceUser(asked)).AppInstanceUserArn as string
  }
  const [ann, dan, bob, cleo] = [await user('ann'), await user('dan'), await user('bob'), await user('cleo')]
  const adminArn = await user('admin')
  await identity.createAppInstanceAdmin({ AppInstanceArn, AppInstanceAdminArn: adminArn })
  const channelArns = new Map<string, string>()
  for (const { name, flow } of faultKinds) {
    const members = { MemberArns: [dan, bob, cleo], ClientRequestToken: randomUUID() }
    const channel = await messaging.createChannel({ AppInstanceArn, Name: name, ChimeBearer: ann, ...members })
    const ChannelArn = channel.ChannelArn as string
    channelArns.set(name, ChannelArn)
    if (!flow) continue
    const { ChannelFlowArn } = await messaging.createChannelFlow({
      AppInstanceArn,
      Name: name,
      ClientRequestToken: randomUUID(),
      Processors: flow.functions.map((functionName, index) => ({
        Name: `${functionName} ${index}`,
        Configuration: { Lambda: { ResourceArn: functionArn(functionName), InvocationType: 'ASYNC' as const } },
        ExecutionOrder: index + 1,
        FallbackAction: flow.fallback,
      })),
      ...(flow.deadline !== undefined && { Tags: [{ Key: 'carillon:deadline', Value: flow.deadline }] }),
    })
    await messaging.associateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer: ann })
  }
  const people = { messaging, appInstanceArn: AppInstanceArn, founderArns: [ann, cleo], guestArns: [dan, bob] }
  const clubs: Club[] = []
  for (const channelId of clubIds) clubs.push(await createClub(people, channelId))
  return { ...people, adminArn, senderArns: [ann, dan], userArns: [ann, dan, bob, cleo], channelArns, clubs }
}

const functionArn = (name: string) => `arn:aws:lambda:us-east-1:111122223333:function:${name}`
