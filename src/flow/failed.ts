import type { Reader } from '../store/store.ts'

/** Maximum of failed messages that are counted: more than a person looks at. */
const countedMax = 1_000

/**
 * How many messages, and updates, failed in a flow since this time: of one AppInstance, or of all. The latest of all are
 * read first, and not all runs of the channels of the AppInstance.
 */
export async function readFailedSince(
  read: Reader,
  since: number,
  appInstanceArn: string | undefined,
): Promise<number> {
  const row = await read.get<{ failed: number }>(
    `SELECT count(*) AS failed
     FROM (
       SELECT channel_id FROM flow_run WHERE state = 'FAILED' AND ended_at > $1 ORDER BY ended_at DESC LIMIT $2
     ) AS failed_run
     JOIN channel_view AS channel ON channel.channel_id = failed_run.channel_id
       AND ($3 = '' OR channel.app_instance_arn = $3)`,
    since,
    countedMax,
    appInstanceArn ?? '',
  )
  return row?.failed ?? 0
}
