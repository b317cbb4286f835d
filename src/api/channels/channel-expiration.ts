import type { ExpirationSettings } from '../../contract/structures/channels.ts'
import type { Transaction } from '../../store/store.ts'
import type { ChannelRow } from '../../store/tables.ts'
import { cancelWork, scheduleWork } from '../../store/work.ts'
import { dayMs } from '../times.ts'

type Expiring = Pick<
  ChannelRow,
  'channel_id' | 'created_at' | 'last_message_at' | 'expiration_days' | 'expiration_criterion'
>

/** The columns of the settings. */
export const expirationColumns = (settings: ExpirationSettings | undefined) => ({
  expiration_days: settings?.ExpirationDays ?? null,
  expiration_criterion: settings?.ExpirationCriterion ?? null,
})

export const expirationToWire = ({
  expiration_days,
  expiration_criterion,
}: Pick<ChannelRow, 'expiration_days' | 'expiration_criterion'>): ExpirationSettings | undefined =>
  expiration_days === null || expiration_criterion === null
    ? undefined
    : { ExpirationDays: expiration_days, ExpirationCriterion: expiration_criterion }

/** The time of the expiration; undefined if the channel never expires. Without a message, the days count from its creation. */
export function channelExpiresAt(channel: Expiring): number | undefined {
  const { created_at, last_message_at, expiration_days, expiration_criterion } = channel
  if (expiration_days === null) return undefined
  const lastAt = expiration_criterion === 'LAST_MESSAGE_TIMESTAMP' ? (last_message_at ?? created_at) : created_at
  return lastAt + expiration_days * dayMs
}

/** Schedules the check of the channel's settings. Messages do not reschedule it: the check reschedules itself. */
export async function scheduleExpiration(transaction: Transaction, channel: Expiring): Promise<void> {
  const work = { kind: 'expire-channel', subject: String(channel.channel_id) } as const
  const expiresAt = channelExpiresAt(channel)
  if (expiresAt === undefined) await cancelWork(transaction, work)
  else await scheduleWork(transaction, work, expiresAt)
}
