import { functionNameOf } from '../contract/arn.ts'
import { type Pending, processorLabelsMax } from '../runtime/metrics.ts'
import { stepIsOpen } from '../store/steps.ts'
import type { Reader } from '../store/store.ts'

/** Maximum of open steps that are counted: in SQLite they block the event loop for 13 ms. */
export const countedMax = 20_000

interface WaitingRow {
  function_arn: string
  messages: number
  oldest_at: number
}

interface SilentFunction {
  functionName: string
  messages: number
  /** When the oldest of them came to the function's step. */
  oldestAt: number
}

/** The functions whose verdict on a message has been missing since `before`, the one with the oldest message first. */
export async function readSilentFunctions(
  read: Reader,
  { before, within = '' }: { before: number; within?: string | undefined },
): Promise<SilentFunction[]> {
  const rows = await read.all<WaitingRow>(
    `SELECT function_arn, count(*) AS messages, min(created_at) AS oldest_at
     FROM (
       SELECT step.function_arn, step.created_at FROM step_view AS step
       JOIN channel_view AS channel ON channel.channel_id = step.channel_id
       WHERE step.${stepIsOpen} AND step.created_at <= $1 AND ($2 = '' OR channel.app_instance_arn = $2) LIMIT $3
     ) AS open_step
     GROUP BY function_arn ORDER BY oldest_at, function_arn`,
    before,
    within,
    countedMax,
  )
  return rows.map(({ function_arn, messages, oldest_at }) => ({
    functionName: functionNameOf(function_arn),
    messages,
    oldestAt: oldest_at,
  }))
}

/** The backlog of each processor, the oldest first. Beyond `namedMax` processors, one entry has the sum of the rest. */
export async function readPending(read: Reader, now: number, namedMax = processorLabelsMax): Promise<Pending[]> {
  const rows = await read.all<WaitingRow>(
    `SELECT function_arn, count(*) AS messages, min(created_at) AS oldest_at
     FROM (
       SELECT function_arn, created_at FROM flow_step WHERE ${stepIsOpen} LIMIT $1
     ) AS open_step
     GROUP BY function_arn ORDER BY oldest_at, function_arn`,
    countedMax,
  )
  const all = new Map<string, Pending>()
  for (const { function_arn, messages, oldest_at } of rows) {
    const name = functionNameOf(function_arn)
    const processor = all.has(name) || all.size < namedMax ? name : 'other'
    const known = all.get(processor) ?? { processor, messages: 0, oldestSeconds: 0 }
    const oldestSeconds = Math.max(known.oldestSeconds, (now - oldest_at) / 1000)
    all.set(processor, { processor, messages: known.messages + messages, oldestSeconds })
  }
  return [...all.values()]
}

/** The backlog of one AppInstance. The open steps are read first, and not all steps of its channels. */
export async function readPendingIn(
  read: Reader,
  appInstanceArn: string,
  now: number,
): Promise<{ total: number; oldestSeconds: number }> {
  const row = await read.get<{ messages: number; oldest_at: number | null }>(
    `SELECT count(*) AS messages, min(open_step.created_at) AS oldest_at
     FROM (
       SELECT channel_id, created_at FROM flow_step WHERE ${stepIsOpen} LIMIT $1
     ) AS open_step
     JOIN channel_view AS channel ON channel.channel_id = open_step.channel_id AND channel.app_instance_arn = $2`,
    countedMax,
    appInstanceArn,
  )
  return { total: row?.messages ?? 0, oldestSeconds: row?.oldest_at ? (now - row.oldest_at) / 1000 : 0 }
}
