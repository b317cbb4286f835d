import type { Log } from '../runtime/log.ts'
import type { Metrics } from '../runtime/metrics.ts'
import type { Store } from '../store/store.ts'

interface RunReportParts {
  store: Pick<Store, 'onCommit'>
  log: Log
  metrics: Pick<Metrics, 'countRun'>
}

/** Counts each run that a commit of this node has ended, and logs it. The line has no text of a message and no CallbackId. */
export function reportRuns({ store, log, metrics }: RunReportParts): void {
  store.onCommit(({ ended }) => {
    for (const { run, step, processorName, changedBy } of ended) {
      if (run.state === 'RUNNING') continue
      metrics.countRun(run.state)
      const fields = {
        channelArn: run.channel_arn,
        messageId: run.message_id,
        revision: run.revision,
        channelFlowArn: run.channel_flow_arn,
        outcome: run.state,
        stepState: step.state,
        processor: processorName,
        durationMs: (run.ended_at ?? run.created_at) - run.created_at,
        changedBy,
      }
      log.info(fields, 'channel flow run ended')
    }
  })
}
