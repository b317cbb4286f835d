import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { EndedRun, Reader, Store } from '../store/store.ts'

interface RunReportParts {
  store: Pick<Store, 'onCommit' | 'read'>
  log: Log
  metrics: Pick<Metrics, 'countRun'>
}

/** Counts each run that a commit of this node has ended, and writes one line about it: never a text, nor a CallbackId. */
export function reportRuns({ store, log, metrics }: RunReportParts): void {
  store.onCommit(({ ended }) => {
    for (const one of ended) {
      const { run, step, processorNames } = one
      if (run.state === 'RUNNING') continue
      metrics.countRun(run.state)
      const fields = {
        channelArn: run.channel_arn,
        messageId: run.message_id,
        revision: run.revision,
        channelFlowArn: run.channel_flow_arn,
        outcome: run.state,
        stepState: step.state,
        processor: processorNames[step.position],
        durationMs: (run.ended_at ?? run.created_at) - run.created_at,
      }
      namesOfChanging(store.read, one).then(
        (changedBy) => log.info({ ...fields, changedBy }, 'channel flow run ended'),
        (err: unknown) => log.info({ ...fields, err }, 'channel flow run ended'),
      )
    }
  })
}

/** The processors that changed the message, in the order of their turns. */
async function namesOfChanging(read: Reader, { run, step, processorNames }: EndedRun): Promise<string[]> {
  const last = step.changes_json === null ? [] : [step.position]
  const positions = step.position === 0 ? last : [...(await earlierChanges(read, { run, step })), ...last]
  return positions.map((position) => processorNames[position] ?? `processor ${position + 1}`)
}

async function earlierChanges(read: Reader, { run, step }: Pick<EndedRun, 'run' | 'step'>): Promise<number[]> {
  const rows = await read.all<{ position: number }>(
    `SELECT position FROM flow_step WHERE channel_arn = $1 AND message_id = $2 AND revision = $3
       AND position < $4 AND changes_json IS NOT NULL ORDER BY position`,
    run.channel_arn,
    run.message_id,
    run.revision,
    step.position,
  )
  return rows.map(({ position }) => position)
}
