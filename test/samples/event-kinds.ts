import type { Population } from '../support/population.ts'

/** What happens in a channel, and which events the sessions of two of its members then get. */
export interface Happening {
  happen(people: Population, made: Made): Promise<unknown>
  /** The one who sends the messages. */
  member: string[]
  owner: string[]
}

/** What has been made so far. */
export interface Made {
  MessageId: string | undefined
  newcomer: string
}

const both = (type: string) => ({ member: [type], owner: [type] })
const member = (...types: string[]) => ({ member: types, owner: [] })

/** Takes the channel's flow away, and attaches one of this function. */
async function exchangeFlow(people: Population, functionName: string): Promise<void> {
  const { channelArn: ChannelArn, owner: ChimeBearer, server } = people
  const { Channel } = await server.messaging.describeChannel({ ChannelArn, ChimeBearer })
  const { ChannelFlowArn } = Channel!
  if (ChannelFlowArn) await server.messaging.disassociateChannelFlow({ ChannelArn, ChannelFlowArn, ChimeBearer })
  await people.attachFlow([functionName])
}

/** Together they cause every kind of event. */
export const happenings: Record<string, Happening> = {
  'a message is sent': {
    async happen(people, made) {
      made.MessageId = (await people.send()).MessageId
    },
    ...both('CREATE_CHANNEL_MESSAGE'),
  },
  'it is edited': {
    happen: (people, { MessageId }) => people.update(MessageId),
    ...both('UPDATE_CHANNEL_MESSAGE'),
  },
  'it is redacted': {
    happen: (people, { MessageId }) => people.redact(MessageId),
    ...both('REDACT_CHANNEL_MESSAGE'),
  },
  'it is deleted': {
    happen: (people, { MessageId }) => people.delete(MessageId),
    ...both('DELETE_CHANNEL_MESSAGE'),
  },
  'a processor allows a message': {
    async happen(people, made) {
      await exchangeFlow(people, 'first')
      const event = await people.sendHeld()
      await people.allow(event)
      made.MessageId = event.ChannelMessage.MessageId
    },
    member: ['PENDING_CREATE_CHANNEL_MESSAGE', 'CREATE_CHANNEL_MESSAGE'],
    owner: ['CREATE_CHANNEL_MESSAGE'],
  },
  'it denies another one': {
    happen: async (people) => people.deny(await people.sendHeld()),
    ...member('PENDING_CREATE_CHANNEL_MESSAGE', 'DENIED_CREATE_CHANNEL_MESSAGE'),
  },
  'it allows an edit': {
    happen: async (people, { MessageId }) => people.allow(await people.updateHeld(MessageId)),
    member: ['PENDING_UPDATE_CHANNEL_MESSAGE', 'UPDATE_CHANNEL_MESSAGE'],
    owner: ['UPDATE_CHANNEL_MESSAGE'],
  },
  'it denies an edit': {
    happen: async (people, { MessageId }) => people.deny(await people.updateHeld(MessageId)),
    ...member('PENDING_UPDATE_CHANNEL_MESSAGE', 'DENIED_UPDATE_CHANNEL_MESSAGE'),
  },
  'the function of a processor that must not be left out is missing': {
    async happen(people) {
      await exchangeFlow(people, 'missing')
      await people.send()
    },
    ...member('PENDING_CREATE_CHANNEL_MESSAGE', 'FAILED_CREATE_CHANNEL_MESSAGE'),
  },
  'it is missing for an edit, too': {
    happen: (people, { MessageId }) => people.update(MessageId),
    ...member('PENDING_UPDATE_CHANNEL_MESSAGE', 'FAILED_UPDATE_CHANNEL_MESSAGE'),
  },
  'the channel is renamed': {
    happen: ({ channelArn: ChannelArn, owner: ChimeBearer, server }) =>
      server.messaging.updateChannel({ ChannelArn, ChimeBearer, Name: 'Bells' }),
    ...both('UPDATE_CHANNEL'),
  },
  'a member is added': {
    async happen(people, made) {
      const { channelArn: ChannelArn, owner: ChimeBearer, server } = people
      made.newcomer = await people.createUser('newcomer')
      const newcomer = { MemberArn: made.newcomer, Type: 'DEFAULT' } as const
      await server.messaging.createChannelMembership({ ChannelArn, ChimeBearer, ...newcomer })
    },
    ...both('CREATE_CHANNEL_MEMBERSHIP'),
  },
  'two are added at once': {
    async happen(people) {
      const { channelArn: ChannelArn, owner: ChimeBearer, server } = people
      const MemberArns = [await people.createUser('one'), await people.createUser('two')]
      await server.messaging.batchCreateChannelMembership({ ChannelArn, ChimeBearer, MemberArns })
    },
    ...both('BATCH_CREATE_CHANNEL_MEMBERSHIP'),
  },
  'the first one leaves': {
    happen: ({ channelArn: ChannelArn, server }, { newcomer }) =>
      server.messaging.deleteChannelMembership({ ChannelArn, ChimeBearer: newcomer, MemberArn: newcomer }),
    ...both('DELETE_CHANNEL_MEMBERSHIP'),
  },
  'the channel is deleted': {
    happen: ({ channelArn: ChannelArn, owner: ChimeBearer, server }) =>
      server.messaging.deleteChannel({ ChannelArn, ChimeBearer }),
    ...both('DELETE_CHANNEL'),
  },
}
