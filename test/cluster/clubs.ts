import type { ChimeSDKMessaging } from '@aws-sdk/client-chime-sdk-messaging'

/** A channel that guests join and leave, and that is deleted and created again with its ChannelId. */
export interface Club {
  channelArn: string
  channelId: string
}

export const clubIds = ['club-1', 'club-2']

/** Those who are in the clubs, and the client that calls for them. */
export interface ClubPeople {
  messaging: ChimeSDKMessaging
  appInstanceArn: string
  /** Members from the creation of a club to its deletion. The first creates and deletes it. */
  founderArns: string[]
  guestArns: string[]
}

/** Its founders are its members. Throws a Conflict if it exists. */
export async function createClub(people: ClubPeople, channelId: string): Promise<Club> {
  const [ChimeBearer, ...MemberArns] = people.founderArns
  const channel = { AppInstanceArn: people.appInstanceArn, ChannelId: channelId, Name: channelId }
  const { ChannelArn } = await people.messaging.createChannel({ ...channel, ChimeBearer, MemberArns })
  return { channelArn: ChannelArn as string, channelId }
}

/** One call that changes who is a member of a club, or whether it exists. */
export interface ClubAct {
  name: string
  share: number
  /** The event of the act, if it is about the guest or the channel. */
  eventType?: string
  call(people: ClubPeople, club: Club, guestArn: string): Promise<unknown>
}

const byFounder = ({ founderArns }: ClubPeople, { channelArn }: Club, MemberArn: string) => {
  return { ChannelArn: channelArn, MemberArn, ChimeBearer: founderArns[0] as string }
}

export const deletion: ClubAct = {
  name: 'deletions of channels',
  share: 5,
  eventType: 'DELETE_CHANNEL',
  call: ({ messaging, founderArns }, { channelArn }) =>
    messaging.deleteChannel({ ChannelArn: channelArn, ChimeBearer: founderArns[0] }),
}

export const clubActs: ClubAct[] = [
  {
    name: 'joins',
    share: 30,
    eventType: 'CREATE_CHANNEL_MEMBERSHIP',
    call: (people, club, guestArn) =>
      people.messaging.createChannelMembership({ ...byFounder(people, club, guestArn), Type: 'DEFAULT' }),
  },
  {
    name: 'batches of joins',
    share: 10,
    call: ({ messaging, founderArns: [ChimeBearer], guestArns: MemberArns }, { channelArn: ChannelArn }) =>
      messaging.batchCreateChannelMembership({ ChannelArn, ChimeBearer, MemberArns }),
  },
  {
    name: 'leaves',
    share: 15,
    eventType: 'DELETE_CHANNEL_MEMBERSHIP',
    call: (people, club, guestArn) =>
      people.messaging.deleteChannelMembership({ ...byFounder(people, club, guestArn), ChimeBearer: guestArn }),
  },
  {
    name: 'removals',
    share: 15,
    eventType: 'DELETE_CHANNEL_MEMBERSHIP',
    call: (people, club, guestArn) => people.messaging.deleteChannelMembership(byFounder(people, club, guestArn)),
  },
  {
    name: 'bans',
    share: 10,
    call: (people, club, guestArn) => people.messaging.createChannelBan(byFounder(people, club, guestArn)),
  },
  {
    name: 'ends of bans',
    share: 15,
    call: (people, club, guestArn) => people.messaging.deleteChannelBan(byFounder(people, club, guestArn)),
  },
  deletion,
]

/** One of them, by a number from 0 up to 1. */
export function chooseAct(random: number): ClubAct {
  let rest = random * clubActs.reduce((sum, { share }) => sum + share, 0)
  return clubActs.find(({ share }) => {
    rest -= share
    return rest < 0
  }) as ClubAct
}
