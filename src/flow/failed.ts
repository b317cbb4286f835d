import type { Reader } from '../store/store.ts'

/** Maximum of failed messages that are counted. */
const countedMax = 10_000

/** How many messages, and updates, failed in a flow since this time: of one AppInstance, or of all. */
export async function readFailedSince(
  read: Reader,
  since: number,
  appInstanceArn: string | undefined,
): Promise<number> {
  const row = await read.get<{ failed: number }>(
    appInstanceArn === undefined ? failedText('') : failedText(within),
    since,
    countedMax,
    ...(appInstanceArn === undefined ? [] : [appInstanceArn]),
  )
  return row?.failed ?? 0
}

const within = `JOIN channel_view AS channel ON channel.channel_id = run.channel_id
  AND channel.app_instance_arn = $3`

const failedText = (join: string) => `SELECT count(*) AS failed FROM (
  SELECT run.ended_at FROM run_view AS run ${join} WHERE run.state = 'FAILED' AND run.ended_at > $1 LIMIT $2) AS recent`
