import { membershipKind } from './membership-kind.ts'

export const createChannelMembership = membershipKind({
  eventType: 'CREATE_CHANNEL_MEMBERSHIP',
  effect: (memberArn) => ({ joins: [memberArn] }),
})
