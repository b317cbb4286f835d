import type { EventKind } from '../../events/event-kind.ts'
import type { Transaction } from '../../store/store.ts'

/** Appends the event to the log of its channel, and returns its number. Who receives it is decided by the rows as they are now. */
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
