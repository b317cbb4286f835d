import type { ChannelFacts, LogEntry, Trouble } from './history.ts'

/**
 * The events of the channel's log that this user must receive: those for it from its join to its leave, both included. A
 * deletion ends all memberships; when the channel is created again, its founders join one after the other.
 */
export function hearable(log: LogEntry[], facts: ChannelFacts | undefined, userArn: string): LogEntry[] {
  let isMember = facts?.memberArns.includes(userArn) ?? false
  return log.filter((entry) => {
    const { audience } = entry
    const wasMember = isMember
    if (isJoin(entry, userArn)) isMember = true
    if (isLeave(entry, userArn)) isMember = false
    return (wasMember || isMember) && (audience.to === 'members' || audience.users.includes(userArn))
  })
}

function isJoin({ eventType, subject }: LogEntry, userArn: string): boolean {
  if (eventType === 'CREATE_CHANNEL_MEMBERSHIP') return subject === userArn
  return eventType === 'BATCH_CREATE_CHANNEL_MEMBERSHIP' && (JSON.parse(subject) as string[]).includes(userArn)
}

/** Also by a ban, and by the deletion of the channel. */
const isLeave = ({ eventType, subject }: LogEntry, userArn: string): boolean =>
  eventType === 'DELETE_CHANNEL' || (eventType === 'DELETE_CHANNEL_MEMBERSHIP' && subject === userArn)

/** Entries of one user's part of a log, from a join to the leave. */
export type Stay = LogEntry[]

/** A node records its event so long before it has published it on the bus, at most. */
const publishMsMax = 1_000
/** Nodes are connected to the bus again so long after a fault, at most. */
const reconnectMsMax = 2_000
/** Nodes have compared memberships with the store so long after a fault, at most: a dead node is noticed within 4 s. */
const compareMsMax = 6_000

/**
 * The stays that a session may know nothing of. A node that misses a join on the bus finds the membership in the store;
 * if it has ended by then, there is nothing to find. `meant` is what the user must receive.
 */
export function missableStays(meant: LogEntry[], userArn: string, troubles: Trouble[]): Stay[] {
  return endedStays(meant, userArn).filter((stay) => {
    const [joinedAt = 0, leftAt = 0] = [stay[0]?.createdAt, stay.at(-1)?.createdAt]
    return troubles.some(({ from, to }) => {
      const isUnheard = joinedAt >= from - publishMsMax && joinedAt <= to + reconnectMsMax
      return isUnheard && leftAt <= to + compareMsMax
    })
  })
}

function endedStays(meant: LogEntry[], userArn: string): Stay[] {
  const stays: Stay[] = []
  let stay: Stay | undefined
  for (const entry of meant) {
    if (isJoin(entry, userArn)) stay = []
    stay?.push(entry)
    if (!stay || !isLeave(entry, userArn)) continue
    stays.push(stay)
    stay = undefined
  }
  return stays
}

/** Whether a log may have the event more than once: users join and leave again, and channels are deleted again. */
export const mayRecur = (eventType: string): boolean => !eventType.endsWith('_CHANNEL_MESSAGE')
