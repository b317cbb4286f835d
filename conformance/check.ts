import { isDeepStrictEqual } from 'node:util'
import type { ChimeSDKIdentity } from '@aws-sdk/client-chime-sdk-identity'
import type { ChannelMessage, ChannelMessageSummary, ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'
import type { Sdk } from './sdks.ts'
import { type Line, type Step, steps } from './steps.ts'

export const passed = '✓'
const lacks = 'not in the SDK: '

export const isGood = (outcome: string | undefined): boolean => outcome === passed || !!outcome?.startsWith(lacks)

/** Clients of the run itself, which go to the server and not through a planted fault. */
export interface Clients {
  messaging: ChimeSDKMessaging
  identity: ChimeSDKIdentity
}

type Facts = Record<string, unknown>

/**
 * The outcome of each step by its number: passed, what the SDK lacks, or what was wrong. A program is not believed: what it
 * has printed must be what the table says, and what the server has.
 */
export async function outcomesOf(lines: Line[], sdk: Sdk, clients: Clients): Promise<Record<number, string>> {
  const printed = new Map(lines.map((line) => [line.step, line]))
  const world = new World(clients, printed)
  const outcomes = steps.map(async (step) => [step.number, await outcomeOf(step, printed.get(step.number), sdk, world)])
  return Object.fromEntries(await Promise.all(outcomes))
}

async function outcomeOf(step: Step, line: Line | undefined, sdk: Sdk, world: World): Promise<string> {
  if (!line) return 'not reached'
  if (line.lacks !== undefined && sdk.mayLack?.includes(step.name)) return lacks + line.lacks
  try {
    const wrong = [
      ...differences(line, expectedOf(step, sdk), 'should be'),
      ...differences(line, (await readBack[step.name]?.(line, world)) ?? {}, 'on the server is'),
    ]
    return wrong.length > 0 ? wrong.join('; ') : passed
  } catch (error) {
    return `could not be read back: ${error}`
  }
}

function expectedOf({ expected: { code, ...expected } }: Step, { errorsAreCodes, hidesStatus }: Sdk): Facts {
  if (code === undefined) return expected
  const { error, status } = expected
  return { error: errorsAreCodes ? code : error, ...(!hidesStatus && { status }) }
}

const differences = (line: Line, facts: Facts, be: string): string[] =>
  Object.entries(facts)
    // What the server does not have is no match, either.
    .filter(([key, value]) => value === undefined || !isDeepStrictEqual(line[key], value))
    .map(([key, value]) => `${key} ${be} ${JSON.stringify(value)}, the program has ${JSON.stringify(line[key])}`)

/** What the program has created, read with other clients. */
class World {
  readonly messaging: ChimeSDKMessaging
  readonly identity: ChimeSDKIdentity
  readonly #printed: Map<number, Line>

  constructor({ messaging, identity }: Clients, printed: Map<number, Line>) {
    this.messaging = messaging
    this.identity = identity
    this.#printed = printed
  }

  /** What the program has printed in the step of this name. */
  printed(name: string): Record<string, string | undefined> {
    const number = steps.find((step) => step.name === name)!.number
    return (this.#printed.get(number) ?? {}) as Record<string, string | undefined>
  }

  /** Reads a message of the channel that the step of this name has created. */
  async message(step: string, MessageId: unknown): Promise<ChannelMessage> {
    const { ChannelArn } = this.printed(step)
    const { AppInstanceUserArn: ChimeBearer } = this.printed('identity')
    const input = { ChannelArn, ChimeBearer, MessageId: String(MessageId) }
    return (await this.messaging.getChannelMessage(input)).ChannelMessage!
  }

  async messages(ChannelArn: string | undefined): Promise<ChannelMessageSummary[]> {
    const { AppInstanceUserArn: ChimeBearer } = this.printed('identity')
    const list = { ChannelArn, ChimeBearer, SortOrder: 'ASCENDING', MaxResults: 50 } as const
    return (await this.messaging.listChannelMessages(list)).ChannelMessages ?? []
  }

  /** The CallbackId of a message, as the processor has sent it into the channel `callbacks`. */
  async callbackId(MessageId: unknown): Promise<string | undefined> {
    const { Metadata: callbacks } = await this.message('channel', this.printed('send').MessageId)
    return (await this.messages(callbacks)).find(({ Metadata }) => Metadata === MessageId)?.Content
  }
}

async function verdictOn({ MessageId }: Line, world: World): Promise<Facts> {
  const { Content, Status } = await world.message('channel', MessageId)
  return { CallbackId: await world.callbackId(MessageId), Content, Status: Status?.Value }
}

/** By the name of a step: what its line must have according to the server. */
const readBack: Record<string, (line: Line, world: World) => Promise<Facts>> = {
  async identity({ AppInstanceUserArn }, { identity }) {
    const user = await identity.describeAppInstanceUser({ AppInstanceUserArn: String(AppInstanceUserArn) })
    return { Name: user.AppInstanceUser?.Name }
  },
  async channel({ ChannelArn }, world) {
    const { AppInstanceUserArn: ChimeBearer } = world.printed('identity')
    const { Channel } = await world.messaging.describeChannel({ ChannelArn: String(ChannelArn), ChimeBearer })
    return { Name: Channel?.Name }
  },
  async flow(_, world) {
    const { AppInstanceUserArn: ChimeBearer } = world.printed('identity')
    const { ChannelArn } = world.printed('channel')
    const { Channel } = await world.messaging.describeChannel({ ChannelArn, ChimeBearer })
    return { ChannelFlowArn: Channel?.ChannelFlowArn }
  },
  poll: async (_, world) => ({ CallbackId: await world.callbackId(world.printed('send').MessageId) }),
  'callback unchanged': verdictOn,
  'callback changed': verdictOn,
  async 'callback denied'({ MessageId }, world) {
    const messages = await world.messages(world.printed('channel').ChannelArn)
    return { CallbackId: await world.callbackId(MessageId), Contents: messages.map(({ Content }) => Content) }
  },
  async paging({ ChannelArn }, world) {
    const messages = await world.messages(String(ChannelArn))
    return { Contents: messages.slice(0, 5).map(({ Content }) => Content) }
  },
  async text({ MessageId }, world) {
    return { Content: (await world.message('paging', MessageId)).Content }
  },
  async token(_, world) {
    const messages = await world.messages(world.printed('paging').ChannelArn)
    return { same: messages.filter(({ Content }) => Content === 'once').length === 1 }
  },
}
