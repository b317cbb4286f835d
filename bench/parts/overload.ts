import { setTimeout as delay } from 'node:timers/promises'
import { type Bench, caseName, measureSeconds, type Part, sized, type Version } from '../bench.ts'
import type { Figures, Results } from '../figures.ts'
import type { FlowResult } from '../programs/flow-load.ts'
import type { Verdicts } from '../programs/processor.ts'
import { type Rig, startCarillon, startLoad, warmUp } from '../rig.ts'
import { Stage } from '../stage.ts'

const senders = 64
const perSecond = 100
/** Time limit for late callbacks after the last send. */
const settleMs = 1_000

export const overloadCases = {
  alone: 'healthy flow alone',
  flooded: 'with senders',
  beside: 'healthy flow beside them',
  drained: 'the same backlog, no sender',
}

/**
 * Senders that do not wait for a verdict before they send again, against a function that keeps up with a part of that;
 * beside them a flow with a healthy function.
 */
export const overload: Part = {
  name: 'overload',
  about: `${senders} senders against a function that keeps up with ${perSecond} messages a second, and a healthy flow beside it`,
  async open(bench) {
    return async (results) => {
      for (const version of bench.versions) await measure(bench, version, results)
    }
  },
}

async function measure(bench: Bench, version: Version, results: Results): Promise<void> {
  // Long enough for a backlog, and for a percentile.
  const seconds = Math.max(measureSeconds(bench), sized(bench, 10, 1))
  await using rig = await startCarillon(bench, version, { profileName: 'overload' })
  await using flooding = startLoad(bench)
  const stage = await Stage.open(rig.url)
  const healthy = await stage.createLanes(1, ['allow'], 'healthy')
  const flooded = await stage.createLanes(senders, [`paced-${perSecond}`], 'flooded')
  stage.close()
  await rig.openFlows(healthy)
  await flooding.call('openFlows', { url: rig.url, lanes: flooded, kind: 'STANDARD', awaitsOutcome: false })
  await warmUp(bench, rig, 1)

  const add = (name: string, figures: Figures) => results.add(caseName(version, name), figures)
  add(overloadCases.alone, latencies(await rig.load.call('runFlows', { inFlight: 1, seconds })))

  const counter = new DecidedCounter(rig)
  await counter.begin()
  const flood = flooding.call('runFlows', { inFlight: senders, seconds })
  const [sent, beside] = await Promise.all([flood, rig.load.call('runFlows', { inFlight: 1, seconds })])
  const under = await counter.decidedPerSecond('now')
  const refusedPart = sent.refused / (sent.flows + sent.refused)
  add(overloadCases.flooded, { 'decided/s': under, 'accepted/s': sent.flowsPerSecond, 'refused part': refusedPart })
  add(overloadCases.beside, latencies(beside))

  // Callbacks that the flood has delayed are not part of the drain.
  await delay(settleMs)
  await counter.begin()
  await rig.processor.call('awaitVerdicts', { seconds })
  add(overloadCases.drained, { 'decided/s': await counter.decidedPerSecond('the last verdict') })
}

const latencies = ({ p50Ms, p99Ms, flowsPerSecond }: FlowResult): Figures => ({
  'p50 ms': p50Ms,
  'p99 ms': p99Ms,
  'flows/s': flowsPerSecond,
})

/** Counts the verdicts of the flooded function. */
class DecidedCounter {
  readonly #rig: Rig
  #before: Verdicts | undefined
  #beganMs = 0

  constructor(rig: Rig) {
    this.#rig = rig
  }

  async begin(): Promise<void> {
    this.#before = await this.#rig.processor.call('verdicts', undefined)
    this.#beganMs = Date.now()
  }

  /** Up to the last verdict where a backlog may have come to its end, which does not make it a slow one. */
  async decidedPerSecond(until: 'now' | 'the last verdict'): Promise<number> {
    const now = await this.#rig.processor.call('verdicts', undefined)
    const decided = now.pacedAccepted - (this.#before?.pacedAccepted ?? 0)
    const endedMs = until === 'now' ? Date.now() : now.pacedAt
    return (decided * 1000) / Math.max(1, endedMs - this.#beganMs)
  }
}
