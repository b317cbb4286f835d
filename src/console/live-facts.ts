import { readFailedSince } from '../flow/failed.ts'
import { readPendingIn } from '../flow/pending.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Reader } from '../store/store.ts'

const failedWithinMs = 3_600_000

/** The part of a processor that facts look at; the rest is passed on. */
interface Processor {
  Held: number
  OldestSeconds: number
}

/** What a console sees at a time: the same for all consoles of a scope. */
export interface Facts {
  /** ISO 8601. */
  at: string
  processors: Processor[]
  pending: { total: number; oldestSeconds: number }
  /** Messages that failed within the last hour. */
  failed: number
}

/** The keys of one scope see the same. */
export interface Scope {
  /** Undefined: the whole server. */
  appInstanceArn: string | undefined
  /** Whether errors and output of functions are shown. */
  seesOutput: boolean
}

interface FactsParts {
  read: Reader
  /** The processors of the whole server. */
  processors(seesOutput: boolean): Promise<Processor[]>
  clock: Pick<Clock, 'now'>
}

export async function readFacts({ appInstanceArn, seesOutput }: Scope, parts: FactsParts): Promise<Facts> {
  const { read, processors, clock } = parts
  const now = clock.now()
  const at = new Date(now).toISOString()
  const failed = await readFailedSince(read, now - failedWithinMs, appInstanceArn)
  if (appInstanceArn !== undefined) {
    return { at, processors: [], pending: await readPendingIn(read, appInstanceArn, now), failed }
  }
  const all = await processors(seesOutput)
  const total = all.reduce((sum, { Held }) => sum + Held, 0)
  const oldestSeconds = Math.max(0, ...all.map(({ OldestSeconds }) => OldestSeconds))
  return { at, processors: all, pending: { total, oldestSeconds }, failed }
}

/** Two facts with the same text are the same to a reader, who knows that time goes on: ages count as times. */
export function textOf({ at, processors, pending, failed }: Facts): string {
  const since = (seconds: number) => Math.round(Date.parse(at) / 1000 - seconds)
  return JSON.stringify([
    processors.map((one) => ({ ...one, OldestSeconds: one.Held && since(one.OldestSeconds) })),
    { total: pending.total, since: pending.total && since(pending.oldestSeconds) },
    failed,
  ])
}
