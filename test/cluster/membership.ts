import type { ChannelFacts, LogEntry } from './history.ts'

/**
 * The channel's log as this user is to hear it: what was for it while it was a member, its own joining and leaving
 * included. A channel that is deleted and created again has its founders again, without an event that says so.
 */
export function hearable(log: LogEntry[], facts: ChannelFacts | undefined, userArn: string): LogEntry[] {
  const isFounder = facts?.memberArns.includes(userArn) ?? false
  let isMember = isFounder
  return log.filter(({ eventType, subject, audience }) => {
    const wasMember = isMember
    if (joins(eventType, subject, userArn)) isMember = true
    else if (eventType === 'DELETE_CHANNEL_MEMBERSHIP' && subject === userArn) isMember = false
    else if (eventType === 'DELETE_CHANNEL') isMember = isFounder
    const hears = eventType === 'DELETE_CHANNEL' ? wasMember : wasMember || isMember
    return hears && (audience.to === 'members' || audience.users.includes(userArn))
  })
}

function joins(eventType: string, subject: string, userArn: string): boolean {
  if (eventType === 'CREATE_CHANNEL_MEMBERSHIP') return subject === userArn
  return eventType === 'BATCH_CREATE_CHANNEL_MEMBERSHIP' && (JSON.parse(subject) as string[]).includes(userArn)
}

/** Whether the event may be in a log again: the same user comes and goes, and the same channel is deleted again. */
export const mayRecur = (eventType: string): boolean => !eventType.endsWith('_CHANNEL_MESSAGE')
