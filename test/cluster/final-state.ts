import type { Cluster } from './cluster.ts'
import type { FinalState } from './history.ts'

/** As `pg` and `node:sqlite` answer: the one has BIGINT as text. */
interface Rows {
  message: {
    channel_arn: string
    message_id: string
    status: 'PENDING' | 'SENT' | 'FAILED' | 'DENIED'
    content: string
  }
  log: {
    channel_arn: string
    seq: number | string
    event_type: FinalState['log'][number]['eventType']
    audience_json: string
    subject: string
    created_at: number | string
  }
  step: {
    message_id: string
    revision: number
    position: number
    callback_id: string
    state: FinalState['steps'][number]['state']
    decided_at: number | string | null
  }
}

/** The rows that a history ends with. */
export async function readFinalState(cluster: Cluster): Promise<FinalState> {
  const messages = await cluster.rows<Rows['message']>(
    'SELECT channel_arn, message_id, status, content FROM message_view',
  )
  const log = await cluster.rows<Rows['log']>(
    `SELECT channel_arn, seq, event_type, audience_json, subject, created_at FROM channel_log
     JOIN channel_head ON channel_head.channel_id = channel_log.channel_id`,
  )
  const steps = await cluster.rows<Rows['step']>(
    'SELECT message_id, revision, position, callback_id, state, decided_at FROM flow_step',
  )
  return {
    messages: messages.map(({ channel_arn, message_id, status, content }) => {
      return { channelArn: channel_arn, messageId: message_id, status, text: JSON.parse(content) }
    }),
    log: log.map((row) => ({
      channelArn: row.channel_arn,
      seq: Number(row.seq),
      eventType: row.event_type,
      audience: JSON.parse(row.audience_json),
      subject: row.subject,
      createdAt: Number(row.created_at),
    })),
    steps: steps.map(({ message_id, revision, position, callback_id, state, decided_at }) => {
      const decidedAt = decided_at === null ? undefined : Number(decided_at)
      return { messageId: message_id, revision, position, callbackId: callback_id, state, decidedAt }
    }),
  }
}

/** How many steps still wait for somebody. */
export async function openSteps(cluster: Cluster): Promise<number> {
  const sql = `SELECT count(*) AS open FROM flow_step WHERE state IN ('DISPATCHING', 'AWAITING')`
  const [row] = await cluster.rows<{ open: number | string }>(sql)
  return Number(row?.open)
}
