import { cursorOf, type Kind, pieceRowsMax } from './kind.ts'

interface Cursor {
  after: number
}

/**
 * Writes the required flow of an AppInstance into its channels. The flow holds every message before that already: this is
 * what DescribeChannel shows, and what remains if the requirement ends.
 */
export const attachFlow: Kind = {
  kind: 'attach-flow',
  done: 'every channel of an AppInstance has its required flow',
  async piece(transaction, work, now) {
    const { after } = cursorOf<Cursor>(work) ?? { after: 0 }
    const policy = await transaction.get<{ required_flow_arn: string | null }>(
      'SELECT required_flow_arn FROM app_instance WHERE app_instance_arn = $1',
      work.subject,
    )
    const flowArn = policy?.required_flow_arn
    if (!flowArn) return { state: 'done', unchanged: true }
    // Deleted channels too: with the heads, PostgreSQL joins all channels of the AppInstance in each piece, 130 ms for 100,000.
    const piece = await transaction.get<{ last_id: number | null }>(
      `SELECT max(channel_id) AS last_id FROM
         (SELECT channel_id FROM channel WHERE app_instance_arn = $1 AND channel_id > $2 ORDER BY channel_id LIMIT $3) AS piece`,
      work.subject,
      after,
      pieceRowsMax,
    )
    const last = piece?.last_id ?? null
    if (last === null) return { state: 'done' }
    await transaction.run(
      `UPDATE channel SET channel_flow_arn = $1, updated_at = $2
       WHERE app_instance_arn = $3 AND channel_id > $4 AND channel_id <= $5 AND coalesce(channel_flow_arn, '') <> $1`,
      flowArn,
      now,
      work.subject,
      after,
      last,
    )
    return { state: 'more', cursor: { after: last } }
  },
}
