import type { Subscription } from '../../src/bus/bus.ts'

/** A listener's interests as names of subjects. `add` resolves when the interest is in force. */
export const subjectSubscription = (
  subjects: Set<string>,
  add: (subject: string) => Promise<void>,
  close: () => void,
): Subscription => ({
  addChannel: (channelId) => add(`channel ${channelId}`),
  removeChannel: (channelId) => void subjects.delete(`channel ${channelId}`),
  addUser: (userArn) => add(`user ${userArn}`),
  removeUser: (userArn) => void subjects.delete(`user ${userArn}`),
  close,
})
