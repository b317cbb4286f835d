import { type Api, channelPath } from '../../bench/wire/calls.ts'
import type { Stage } from './fill.ts'

/** How many creates of each operation are timed. */
export const createsTimed = 200
/** More pages than any list here has: a list that never ends must not keep the run from ending. */
const pagesMax = 4_000

export interface Timed {
  name: string
  /** Milliseconds, as the caller sees them. */
  times: number[]
}

const timeOf = async (call: () => Promise<unknown>): Promise<number> => {
  const from = performance.now()
  await call()
  return performance.now() - from
}

export async function setStage(api: Api): Promise<Stage> {
  const token = { ClientRequestToken: 'the-stage' }
  const post = <Output>(path: string, body: object, bearer?: string) =>
    api.output<Output>({ method: 'POST', path, body, ...(bearer !== undefined && { bearer }) })
  const { AppInstanceArn } = await post<{ AppInstanceArn: string }>('/app-instances', { Name: 'scale', ...token })
  const user = async (id: string) => {
    const body = { AppInstanceArn, AppInstanceUserId: id, Name: id, ClientRequestToken: id }
    return (await post<{ AppInstanceUserArn: string }>('/app-instance-users', body)).AppInstanceUserArn
  }
  const adminArn = await user('admin')
  const busyArn = await user('busy')
  await post(`/app-instances/${encodeURIComponent(AppInstanceArn)}/admins`, { AppInstanceAdminArn: adminArn })
  const channel = { AppInstanceArn, Name: 'crowd', ChannelId: 'crowd', Mode: 'UNRESTRICTED', ...token }
  const { ChannelArn } = await post<{ ChannelArn: string }>('/channels', channel, adminArn)
  const flow = { AppInstanceArn, Name: 'flow', Processors: [processor], ...token }
  const { ChannelFlowArn } = await post<{ ChannelFlowArn: string }>('/channel-flows', flow)
  return { appInstanceArn: AppInstanceArn, adminArn, busyArn, crowdArn: ChannelArn, channelFlowArn: ChannelFlowArn }
}

export const processor = {
  Name: 'nothing',
  Configuration: {
    Lambda: { ResourceArn: 'arn:aws:lambda:us-east-1:000000000000:function:nothing', InvocationType: 'ASYNC' },
  },
  ExecutionOrder: 1,
  FallbackAction: 'CONTINUE',
}

/** Each create so many times, one after the other. `round` keeps the names of two rounds apart. */
export async function timeCreates(api: Api, stage: Stage, round: string): Promise<Timed[]> {
  const { appInstanceArn, adminArn, crowdArn } = stage
  const times = new Map<string, number[]>()
  const post = async (name: string, path: string, body: object, bearer?: string) => {
    const call = { method: 'POST', path, body, ...(bearer !== undefined && { bearer }) }
    times.set(name, [...(times.get(name) ?? []), await timeOf(() => api.output(call))])
  }
  const crowd = channelPath(crowdArn)
  for (let n = 1; n <= createsTimed; n += 1) {
    const id = `${round}-${n}`
    const user = `${appInstanceArn}/user/${id}`
    const people = { AppInstanceArn: appInstanceArn, Name: id, ClientRequestToken: id }
    await post('CreateAppInstanceUser', '/app-instance-users', { ...people, AppInstanceUserId: id })
    await post('CreateChannel', '/channels', { ...people, ChannelId: id, MemberArns: [user] }, adminArn)
    await post('CreateChannelMembership', `${crowd}/memberships`, { MemberArn: user, Type: 'DEFAULT' }, adminArn)
    await post(
      'CreateChannelModerator',
      `${channelPath(`${appInstanceArn}/channel/${id}`)}/moderators`,
      {
        ChannelModeratorArn: user,
      },
      adminArn,
    )
    const message = { Content: id, Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: id }
    await post('SendChannelMessage', `${crowd}/messages`, message, user)
    await post('CreateChannelBan', `${crowd}/bans`, { MemberArn: user }, adminArn)
  }
  return [...times].map(([name, all]) => ({ name, times: all }))
}

interface List {
  name: string
  path: string
  parameters: Record<string, string>
  bearer?: string
}

function listsOf({ appInstanceArn, adminArn, busyArn, crowdArn, channelFlowArn }: Stage): List[] {
  const inApp = { 'app-instance-arn': appInstanceArn }
  const crowd = channelPath(crowdArn)
  const ofBusy = { 'app-instance-user-arn': busyArn }
  return [
    { name: 'ListAppInstanceUsers', path: '/app-instance-users', parameters: inApp },
    { name: 'ListChannels, all', path: '/channels', parameters: inApp, bearer: adminArn },
    { name: 'ListChannels, PUBLIC', path: '/channels', parameters: { ...inApp, privacy: 'PUBLIC' }, bearer: busyArn },
    {
      name: 'ListChannelMembershipsForAppInstanceUser',
      path: '/channels',
      parameters: { ...ofBusy, scope: 'app-instance-user-memberships' },
      bearer: busyArn,
    },
    {
      name: 'ListChannelsModeratedByAppInstanceUser',
      path: '/channels',
      parameters: { ...ofBusy, scope: 'app-instance-user-moderated-channels' },
      bearer: busyArn,
    },
    {
      name: 'ListChannelsAssociatedWithChannelFlow',
      path: '/channels',
      parameters: { 'channel-flow-arn': channelFlowArn, scope: 'channel-flow-associations' },
    },
    { name: 'ListChannelMemberships', path: `${crowd}/memberships`, parameters: {}, bearer: adminArn },
    {
      name: 'ListChannelMemberships, HIDDEN',
      path: `${crowd}/memberships`,
      parameters: { type: 'HIDDEN' },
      bearer: adminArn,
    },
    { name: 'ListChannelBans', path: `${crowd}/bans`, parameters: {}, bearer: adminArn },
    { name: 'ListChannelModerators', path: `${crowd}/moderators`, parameters: {}, bearer: adminArn },
    { name: 'ListChannelMessages', path: `${crowd}/messages`, parameters: {}, bearer: adminArn },
  ]
}

/** Every page of each list. */
export async function timeLists(api: Api, stage: Stage): Promise<Timed[]> {
  const timed: Timed[] = []
  for (const { name, path, parameters, bearer } of listsOf(stage)) {
    const times: number[] = []
    let token: string | undefined
    do {
      const query = canonicalQuery({ ...parameters, 'max-results': '50', ...(token && { 'next-token': token }) })
      const call = { method: 'GET', path, query, ...(bearer !== undefined && { bearer }) }
      times.push(
        await timeOf(async () => {
          token = (await api.output<{ NextToken?: string }>(call)).NextToken
        }),
      )
    } while (token && times.length < pagesMax)
    timed.push({ name: `${name}, ${times.length} pages`, times })
  }
  return timed
}

const canonicalQuery = (parameters: Record<string, string>): string =>
  Object.entries(parameters)
    .map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`)
    .sort()
    .join('&')

/** Messages into the channel, one after the other, until `isOver` resolves. */
export async function timeSends(api: Api, channelArn: string, senderArn: string, isOver: Promise<unknown>) {
  let over = false
  void isOver.then(() => {
    over = true
  })
  const times: number[] = []
  while (!over) {
    const body = {
      Content: 'beside it',
      Type: 'STANDARD',
      Persistence: 'PERSISTENT',
      ClientRequestToken: `beside-${times.length}-${performance.now()}`.replaceAll('.', '-'),
    }
    const call = { method: 'POST', path: `${channelPath(channelArn)}/messages`, bearer: senderArn, body }
    times.push(await timeOf(() => api.output(call)))
  }
  return times
}
