import type { ChannelFacts, LogEntry } from './history.ts'

/**
 * The events of the channel's log that this user must receive: those for it from its join to its leave, both included. A
 * deletion ends all memberships; when the channel is created again, its founders join one after the other.
 */
export function hearable(log: LogEntry[], facts: ChannelFacts | undefined, userArn: string): LogEntry[] {
  let isMember = facts?.memberArns.includes(userArn) ?? false
  return log.filter(({ eventType, subject, audience }) => {
    const wasMember = isMember
    if (joins(eventType, subject, userArn)) isMember = true
    else if (eventType === 'DELETE_CHANNEL_MEMBERSHIP' && subject === userArn) isMember = false
    else if (eventType === 'DELETE_CHANNEL') isMember = false
    return (wasMember || isMember) && (audience.to === 'members' || audience.users.includes(userArn))
  })
}

function joins(eventType: string, subject: string, userArn: string): boolean {
  if (eventType === 'CREATE_CHANNEL_MEMBERSHIP') return subject === userArn
  return eventType === 'BATCH_CREATE_CHANNEL_MEMBERSHIP' && (JSON.parse(subject) as string[]).includes(userArn)
}

/** Whether a log may have the event more than once: users join and leave again, and channels are deleted again. */
export const mayRecur = (eventType: string): boolean => !eventType.endsWith('_CHANNEL_MESSAGE')
