import type { EventKind } from '../../events/event-kind.ts'
import type { Transaction } from '../../store/store.ts'

/** Appends the event to the channel log, and returns its number. The current rows decide its audience. */
export async function append<Row extends { channel_id: number; channel_arn: string }, Past extends object>(
  transaction: Transaction,
  kind: EventKind<Row, Past>,
  row: Row,
  createdAt: number,
): Promise<number> {
  return transaction.append({
    channelId: row.channel_id,
    channelArn: row.channel_arn,
    eventType: kind.eventType,
    audience: await kind.audience(row, transaction),
    createdAt,
    ...kind.reference(row),
    about: row,
    ...(kind.erasesText && { erasesText: true }),
  })
}
