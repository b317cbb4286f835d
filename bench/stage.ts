import type { Lane } from './programs/flow-load.ts'
import { Api, channelPath } from './wire/calls.ts'

/** Concurrent calls during the set-up. */
const callsAtOnce = 16

/** Users, channels and flows on a server, created by calls of the API. */
export class Stage {
  readonly api: Api
  readonly appInstanceArn: string

  private constructor(api: Api, appInstanceArn: string) {
    this.api = api
    this.appInstanceArn = appInstanceArn
  }

  static async open(url: string): Promise<Stage> {
    const api = new Api(url)
    const body = { Name: 'benchmark', ClientRequestToken: 'benchmark' }
    const { AppInstanceArn } = await api.output<{ AppInstanceArn: string }>({
      method: 'POST',
      path: '/app-instances',
      body,
    })
    return new Stage(api, AppInstanceArn)
  }

  async createUsers(count: number, prefix = 'user'): Promise<string[]> {
    const names = Array.from({ length: count }, (_, index) => `${prefix}-${index}`)
    return together(names, async (name) => {
      const body = {
        AppInstanceArn: this.appInstanceArn,
        AppInstanceUserId: name,
        Name: name,
        ClientRequestToken: name,
      }
      const call = { method: 'POST', path: '/app-instance-users', body }
      return (await this.api.output<{ AppInstanceUserArn: string }>(call)).AppInstanceUserArn
    })
  }

  /** The user is its only member. */
  async createChannel(ownerArn: string, name: string): Promise<string> {
    const body = {
      AppInstanceArn: this.appInstanceArn,
      Name: name,
      ChannelId: name,
      Mode: 'UNRESTRICTED',
      ClientRequestToken: name,
    }
    const call = { method: 'POST', path: '/channels', bearer: ownerArn, body }
    return (await this.api.output<{ ChannelArn: string }>(call)).ChannelArn
  }

  async addMembers(channelArn: string, ownerArn: string, memberArns: string[]): Promise<void> {
    await together(memberArns, (memberArn) =>
      this.api.output({
        method: 'POST',
        path: `${channelPath(channelArn)}/memberships`,
        bearer: ownerArn,
        body: { MemberArn: memberArn, Type: 'DEFAULT' },
      }),
    )
  }

  /** A flow of these functions, one after the other. */
  async createFlow(functionNames: string[]): Promise<string> {
    const body = {
      AppInstanceArn: this.appInstanceArn,
      Name: 'flow',
      Processors: functionNames.map(processorOf),
      ClientRequestToken: functionNames.join('-'),
    }
    const call = { method: 'POST', path: '/channel-flows', body }
    return (await this.api.output<{ ChannelFlowArn: string }>(call)).ChannelFlowArn
  }

  async changeFlow(channelFlowArn: string, functionNames: string[]): Promise<void> {
    const body = { Name: 'flow', Processors: functionNames.map(processorOf) }
    await this.api.output({ method: 'PUT', path: `/channel-flows/${encodeURIComponent(channelFlowArn)}`, body })
  }

  async associate(channelArn: string, ownerArn: string, ChannelFlowArn: string): Promise<void> {
    const path = `${channelPath(channelArn)}/channel-flow`
    await this.api.output({ method: 'PUT', path, bearer: ownerArn, body: { ChannelFlowArn } })
  }

  /** Sends one message and does not wait for its outcome. */
  async send(channelArn: string, senderArn: string): Promise<void> {
    const body = { Content: 'hello', Type: 'STANDARD', Persistence: 'PERSISTENT', ClientRequestToken: 'the-first' }
    await this.api.output({ method: 'POST', path: `${channelPath(channelArn)}/messages`, bearer: senderArn, body })
  }

  /** Users with one channel each, with a flow of these functions, if any. */
  async createLanes(count: number, functionNames: string[], prefix = 'lane'): Promise<Lane[]> {
    const users = await this.createUsers(count, prefix)
    const flowArn = functionNames.length > 0 ? await this.createFlow(functionNames) : undefined
    return together(users, async (senderArn, index) => {
      const channelArn = await this.createChannel(senderArn, `${prefix}-${index}`)
      if (flowArn !== undefined) await this.associate(channelArn, senderArn, flowArn)
      return { senderArn, channelArns: [channelArn] }
    })
  }

  close(): void {
    this.api.close()
  }
}

const processorOf = (name: string, index: number) => ({
  Name: name,
  Configuration: {
    Lambda: { ResourceArn: `arn:aws:lambda:us-east-1:000000000000:function:${name}`, InvocationType: 'ASYNC' },
  },
  ExecutionOrder: index + 1,
  FallbackAction: 'ABORT',
})

/** Runs some at a time; the results are in the order of the items. */
async function together<Item, Result>(
  items: readonly Item[],
  work: (item: Item, index: number) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = new Array(items.length)
  const waiting = items.entries()
  const workSome = async () => {
    for (const [index, item] of waiting) results[index] = await work(item, index)
  }
  await Promise.all(Array.from({ length: callsAtOnce }, workSome))
  return results
}
