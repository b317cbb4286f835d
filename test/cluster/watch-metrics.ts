import { setTimeout } from 'node:timers/promises'

const lookEveryMs = 1_000
const answerMsMax = 2_000

/** By processor: the greatest age of a message that waits for it that any node told of, in seconds. */
export type OldestPending = Map<string, number>

/** Does what a monitoring system does: asks one node after the other for its metrics, and remembers the worst. */
export async function watchMetrics(adminUrls: string[], until: AbortSignal): Promise<OldestPending> {
  const worst: OldestPending = new Map()
  for (let turn = 0; !until.aborted; turn++) {
    const text = await metricsOf(adminUrls[turn % adminUrls.length] as string)
    for (const [processor, seconds] of oldestPending(text)) {
      worst.set(processor, Math.max(seconds, worst.get(processor) ?? 0))
    }
    await setTimeout(lookEveryMs)
  }
  return worst
}

/** Nothing where the node is away, which is what the next turn is for. */
async function metricsOf(adminUrl: string): Promise<string> {
  try {
    const answer = await fetch(`${adminUrl}/metrics`, { signal: AbortSignal.timeout(answerMsMax) })
    return await answer.text()
  } catch {
    return ''
  }
}

/** The values of `carillon_oldest_pending_seconds` in Prometheus's text format. */
export function oldestPending(text: string): OldestPending {
  const values = text.matchAll(/^carillon_oldest_pending_seconds\{processor="([^"]*)"\} (\S+)$/gm)
  return new Map([...values].map(([, processor = '', seconds]) => [processor, Number(seconds)]))
}
