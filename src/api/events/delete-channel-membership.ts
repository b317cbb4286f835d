import { membershipKind } from './membership-kind.ts'

/** It has the deleted row. The removed user receives it, and no later event of the channel. */
export const deleteChannelMembership = membershipKind({
  eventType: 'DELETE_CHANNEL_MEMBERSHIP',
  effect: (memberArn) => ({ leaves: memberArn }),
})
